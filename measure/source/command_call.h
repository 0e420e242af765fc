// What a call like exec("git log"), subprocess.run(["git", "log"]) starts. Private to the scanners.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace cloister::measure::source {

// The command at the beginning of a string's text: up to its end, or to what is put into it ("$x",
// "{x}", "#{x}"). Empty when what comes first is no program's name: "main:app" is none.
inline std::string_view command_text(std::string_view text, char quote) {
  constexpr std::size_t kMaxCommand = 512;
  text = text.substr(0, kMaxCommand);
  const std::size_t end =
      std::min(text.find_first_of(std::string_view("\\\n\r$#{}\0", 8)), text.find(quote));
  if (end == std::string_view::npos) return {};
  const std::string_view command = text.substr(0, end);
  const std::string_view word = command.substr(0, command.find_first_of(" \t|&;<>"));
  const bool named = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._+-").find(c) != std::string_view::npos;
  });
  return named && !word.empty() ? command : std::string_view();
}

// `rest` is what follows the name of the function: the first string in the parentheses, of a list
// the first element.
inline std::optional<std::string_view> command_of_call(std::string_view rest) {
  constexpr std::size_t kMaxBlanks = 512;
  std::size_t at = 0;
  const auto blanks = [&] {
    while (at < rest.size() && at < kMaxBlanks &&
           (rest[at] == ' ' || rest[at] == '\t' || rest[at] == '\n' || rest[at] == '\r'))
      ++at;
  };
  blanks();
  if (at >= rest.size() || rest[at] != '(') return std::nullopt;
  ++at;
  blanks();
  if (rest.substr(at, 6) == "array(") at += 6;
  if (at < rest.size() && (rest[at] == '[' || rest[at] == '(')) ++at;
  blanks();
  if (at >= rest.size() || (rest[at] != '"' && rest[at] != '\'' && rest[at] != '`'))
    return std::nullopt;
  const std::string_view command = command_text(rest.substr(at + 1), rest[at]);
  return command.empty() ? std::nullopt : std::optional(command);
}

}  // namespace cloister::measure::source
