// Texts repeat names; sorting now and then keeps memory bounded by the limit, not by the text.
#include "measure/source/name_set.h"

#include <algorithm>

namespace cloister::measure::source {

void NameSet::add(std::string name) {
  if (full_) return;
  names_.push_back(std::move(name));
  if (names_.size() >= 2 * max_ + 16) compact();
}

void NameSet::compact() {
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  if (names_.size() <= max_) return;
  names_.resize(max_);
  full_ = true;
}

std::vector<std::string> NameSet::take() {
  compact();
  return std::move(names_);
}

}  // namespace cloister::measure::source
