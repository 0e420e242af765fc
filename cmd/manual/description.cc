#include "cmd/manual/description.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {
namespace {

bool has_word(std::string_view value, std::string_view word) {
  const auto words = split(value, '|');
  return std::any_of(words.begin(), words.end(), [&](std::string_view one) {
    return one == word || (one.starts_with(word) && one.ends_with("…"));
  });
}

}  // namespace

std::string OptionText::key() const {
  if (argument) return lower_ascii(names.front());
  return names.back().substr(names.back().find_first_not_of('-'));
}

std::string_view CommandText::own_name() const {
  return std::string_view(name).substr(name.rfind(' ') + 1);  // npos + 1: all of it
}

const CommandText* CommandText::find(std::string_view wanted) const {
  for (const CommandText& command : commands)
    if (command.own_name() == wanted) return &command;
  return nullptr;
}

const OptionText* CommandText::option(std::string_view wanted) const {
  for (const OptionText& one : options)
    if (std::find(one.names.begin(), one.names.end(), wanted) != one.names.end()) return &one;
  return nullptr;
}

std::string CommandText::usage() const {
  std::string out = name;
  if (!commands.empty()) return out + " COMMAND";
  if (options.size() > 1) out += " [OPTIONS]";  // one: --help
  for (const OptionText& argument : arguments) {
    const std::string shown = argument.names.front() + (argument.repeatable ? "…" : "");
    out += argument.required ? cat(" ", shown) : cat(" [", shown, "]");
  }
  return out;
}

bool takes_file(const OptionText& option) {
  return has_word(option.value, "FILE") || has_word(option.value, "DIR") ||
         has_word(option.value, "KEY");
}

bool takes_image(const OptionText& option) {
  return has_word(option.value, "IMAGE");
}

}  // namespace cloister::cmd
