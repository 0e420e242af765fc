// What a scanner has found so far: names, each once and bounded.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "measure/source/source.h"

namespace cloister::measure::source {

class NameList {
 public:
  explicit NameList(const Limits& limits) : max_(limits.source_names) {}

  // Past the bound names are dropped, and the file counts as one whose imports are not known.
  void add(std::string_view prefix, std::string_view name) {
    if (name.size() > kMaxName || name.find('\0') != std::string_view::npos) return;
    if (names_.size() >= max_) {
      overflowed_ = true;
      return;
    }
    std::string text(prefix);
    text += name;
    names_.insert(std::move(text));
  }

  Facts take(Language language, bool dynamic) {
    Facts facts;
    facts.language = language;
    facts.names.assign(names_.begin(), names_.end());
    facts.dynamic = dynamic || overflowed_;
    return facts;
  }

 private:
  static constexpr std::size_t kMaxName = 1024;
  std::set<std::string> names_;
  std::size_t max_;
  bool overflowed_ = false;
};

}  // namespace cloister::measure::source
