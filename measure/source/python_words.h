// What Python's lexer tells apart by one byte, and what a name or a string looks like by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cloister::measure::source {

inline constexpr std::size_t kMaxName = 200;  // bytes of one name; longer is no module

enum PythonClass : std::uint8_t { kOther, kBlank, kNewline, kWord, kDigit, kQuote, kOpen, kClose };

constexpr std::array<std::uint8_t, 256> make_python_classes() {
  std::array<std::uint8_t, 256> out{};
  for (int c = 0; c < 256; ++c) {
    std::uint8_t k = kOther;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) k = kWord;
    if (c >= '0' && c <= '9') k = kDigit;
    if (c == ' ' || c == '\t' || c == '\f') k = kBlank;
    if (c == '\n' || c == '\r') k = kNewline;
    if (c == '"' || c == '\'') k = kQuote;
    if (c == '(' || c == '[' || c == '{') k = kOpen;
    if (c == ')' || c == ']' || c == '}') k = kClose;
    out[static_cast<std::size_t>(c)] = k;
  }
  return out;
}
inline constexpr auto kPythonClasses = make_python_classes();

inline std::uint8_t class_of(char c) {
  return kPythonClasses[static_cast<unsigned char>(c)];
}
inline bool is_python_word(char c) {
  return class_of(c) == kWord || class_of(c) == kDigit;
}

// "Europe/Vienna": a time zone.
bool looks_like_zone(std::string_view s);
// "/usr/share/x": an absolute path as people write it in a program.
bool looks_like_path(std::string_view s);

enum class Shape { none, loose, dotted };
// "name", "a.b.c", "a.b:c.d": identifiers with dots, at most one colon; no names of files.
Shape shape_of(std::string_view s);

}  // namespace cloister::measure::source
