// binfmt_script.c: blanks and tabs after "#!" are skipped, the interpreter ends at the next one,
// and what follows, without blanks at its ends, is one single argument ("env -S" exists because of
// that). The line comes from the image: any bytes are possible.
#include "manifest-gen/launch/shebang.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace cloister::manifest {
namespace {

bool is_shebang_blank(char c) {
  return c == ' ' || c == '\t';
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (!is_shebang_blank(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// Options of env(1) that take the next word as their value, and the same with the value attached,
// which may hold any letter.
bool takes_value(std::string_view option) {
  return option == "-u" || option == "--unset" || option == "-C" || option == "--chdir";
}
bool has_value(std::string_view option) {
  return option.starts_with("-u") || option.starts_with("-C");
}

// The words after -S in its spellings ("-S prog", "-Sprog", "--split-string=prog", "-vS prog").
std::optional<std::string_view> split_string(std::string_view option) {
  constexpr std::string_view kLong = "--split-string";
  if (option.starts_with(kLong)) {
    option.remove_prefix(kLong.size());
    return option.starts_with('=') ? option.substr(1) : option;
  }
  if (option.size() < 2 || option[0] != '-' || option[1] == '-') return std::nullopt;
  const std::size_t at = option.find('S');
  if (at == std::string_view::npos) return std::nullopt;
  return option.substr(at + 1);
}

bool contains(const std::string_view* begin, const std::string_view* end, std::string_view name) {
  return std::find(begin, end, name) != end;
}

}  // namespace

std::optional<Shebang> parse_shebang(std::string_view text) {
  text = trim(text);
  const auto* end = std::find_if(text.begin(), text.end(), is_shebang_blank);
  const auto length = static_cast<std::size_t>(end - text.begin());
  if (length == 0) return std::nullopt;
  return Shebang{std::string(text.substr(0, length)), std::string(trim(text.substr(length)))};
}

std::optional<std::string> env_program(const std::vector<std::string>& arguments) {
  // A work list, since -S expands in place; each expansion is shorter than what it replaces.
  std::vector<std::string> rest(arguments.rbegin(), arguments.rend());
  while (!rest.empty()) {
    const std::string word = std::move(rest.back());
    rest.pop_back();
    if (takes_value(word)) {
      if (!rest.empty()) rest.pop_back();
    } else if (has_value(word)) {
      continue;
    } else if (const auto inner = split_string(word)) {
      // "-S" alone: the next word is the string.
      std::string text(*inner);
      if (text.empty() && !rest.empty()) {
        text = std::move(rest.back());
        rest.pop_back();
      }
      std::vector<std::string> words = split_words(text);
      rest.insert(rest.end(), std::make_move_iterator(words.rbegin()),
                  std::make_move_iterator(words.rend()));
    } else if (word.starts_with('-') || word.find('=') != std::string::npos) {
      continue;
    } else if (word.find(' ') != std::string::npos) {
      // "#!/usr/bin/env prog arg" gives env one argument with a blank in it; it runs nothing.
      return split_words(word).front();
    } else if (!word.empty()) {
      return word;
    }
  }
  return std::nullopt;
}

bool is_shell(std::string_view base) {
  static constexpr std::string_view kShells[] = {"sh",  "dash", "bash", "ash",
                                                 "ksh", "mksh", "zsh",  "busybox"};
  return contains(std::begin(kShells), std::end(kShells), base);
}

}  // namespace cloister::manifest
