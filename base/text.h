// Small text helpers: concatenation, hex, splitting, UTF-8, and escaping of hostile names.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cloister {

namespace text_internal {
inline void append(std::string& out, std::string_view s) {
  out += s;
}
inline void append(std::string& out, char c) {
  out += c;
}
template <class T>
requires std::is_integral_v<T>
void append(std::string& out, T v) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  out.append(buffer, end);
}
}  // namespace text_internal

// cat("got ", n, " bytes"): strings, characters and integers, concatenated.
template <class... Args>
std::string cat(const Args&... args) {
  std::string out;
  (text_internal::append(out, args), ...);
  return out;
}

// Lower-case hex of bytes in memory order.
std::string hex(std::span<const std::byte> bytes);
std::string hex(std::span<const std::uint8_t> bytes);
// "0x" and lower-case digits, without leading zeros.
std::string hex_number(std::uint64_t value);
// The bytes of an even-length hex text (either case), or nothing.
std::optional<std::vector<std::byte>> unhex(std::string_view text);

std::string base64(std::span<const std::byte> bytes);
// Standard alphabet, padding optional, no white space; nothing when malformed.
std::optional<std::vector<std::byte>> unbase64(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);  // blanks, tabs, CR and LF at both ends
std::string lower_ascii(std::string_view text);
bool iequals_ascii(std::string_view a, std::string_view b);
template <class Range>
std::string join(const Range& parts, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& p : parts) {
    if (!first) out += separator;
    out += p;
    first = false;
  }
  return out;
}

// Levenshtein: how many insertions, deletions and changes of a byte lead from one to the other.
// Takes time and space for |a| × |b| and |b|: callers bound what they compare.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Decimal digits only, the whole text, no overflow.
std::optional<std::uint64_t> parse_u64(std::string_view text);

// Well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

struct CodePoint {
  char32_t value;
  std::size_t length;  // bytes
};
// What begins at `at`; a byte that is no UTF-8 counts as itself. REQUIRES: at < text.size().
CodePoint code_point_at(std::string_view text, std::size_t at);
// What is drawn as nothing, or changes the order in which others are: controls, marks of direction,
// joiners, variation selectors, tags (Unicode UAX #9, UTS #39).
bool is_unseen(char32_t c);

// RFC 3986: all but unreserved characters, and those of `kept`, as %XX.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

// Names from images and servers are hostile: what is_unseen() and bytes that are not UTF-8 become
// \xNN, byte by byte, a backslash becomes "\\". Safe on a terminal and still readable.
std::string printable(std::string_view text);
// printable() within single quotes, as error messages show user strings. (Not `quoted`: std::quoted
// would be found first for std::string arguments.)
std::string quote(std::string_view text);

// 1536 → "1.5 KiB". For people; JSON carries plain numbers.
std::string human_bytes(std::uint64_t bytes);

}  // namespace cloister
