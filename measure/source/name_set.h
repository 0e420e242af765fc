// The names found in one text: each once, sorted, bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace cloister::measure::source {

class NameSet {
 public:
  explicit NameSet(const Limits& limits) : max_(limits.source_names) {}

  // Names beyond the limit are dropped; full() tells.
  void add(std::string name);
  bool full() const { return full_; }
  std::vector<std::string> take();

 private:
  void compact();

  std::size_t max_;
  bool full_ = false;
  std::vector<std::string> names_;
};

}  // namespace cloister::measure::source
