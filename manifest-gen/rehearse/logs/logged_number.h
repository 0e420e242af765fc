// A number as logs write results: "3", "-1", "0x7f00", "-0x2".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cloister::manifest {

struct LoggedNumber {
  bool negative = false;
  std::uint64_t value = 0;
};

// Takes it from the beginning of `text`; nothing, and `text` as it was, when there is none.
std::optional<LoggedNumber> take_logged_number(std::string_view& text);

}  // namespace cloister::manifest
