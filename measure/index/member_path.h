// The names of tar members, in the one form that everything after the tar uses.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace cloister::measure {

// "./a//b/../c/" and "/a/c" → "a/c"; "./" → "" (the root). As image tools clean names: lexically,
// before any link is looked at. ".." above the root is `corrupt`; longer or deeper than the limits
// is `limit`.
Result<std::string> normalize_member(std::string_view name, const Limits& limits);

}  // namespace cloister::measure
