// GUIDs as UEFI stores them (UEFI specification, appendix A): of the five groups of the text form
// the first three are little-endian numbers, the last two bytes in order.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace cloister::measure::snp {

using Guid = std::array<std::byte, 16>;  // in memory order

// REQUIRES: "96b582de-1fb2-45f7-baea-a366c55a082d", lower case.
consteval Guid guid(std::string_view text) {
  constexpr int kDigits[16] = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Guid out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto at = static_cast<std::size_t>(kDigits[i]);
    out[i] = static_cast<std::byte>(digit(text[at]) << 4 | digit(text[at + 1]));
  }
  return out;
}

}  // namespace cloister::measure::snp
