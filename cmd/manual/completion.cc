#include "cmd/manual/completion.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace cloister::cmd {
namespace {

// Where the words before the last one lead.
struct TypedLine {
  const CommandText* command = nullptr;
  const OptionText* waiting = nullptr;  // an option whose value comes next
  std::size_t arguments = 0;
  bool options_ended = false;  // by "--"
  bool astray = false;         // no such command
  std::set<std::string> given;
};

TypedLine follow(const CommandText& program, const std::vector<std::string>& words) {
  TypedLine line;
  line.command = &program;
  for (std::size_t i = 0; i + 1 < words.size() && !line.astray; ++i) {
    const std::string& word = words[i];
    if (line.waiting != nullptr) {
      line.waiting = nullptr;
    } else if (!line.options_ended && word == "--") {
      line.options_ended = true;
    } else if (!line.options_ended && word.starts_with('-') && word.size() > 1) {
      const std::string name = word.substr(0, word.find('='));
      const OptionText* option = line.command->option(name);
      if (option == nullptr) continue;
      line.given.insert(option->key());
      if (!option->is_flag() && !option->value_optional && name == word) line.waiting = option;
    } else if (!line.command->commands.empty()) {
      const CommandText* sub = line.command->find(word);
      line.astray = sub == nullptr;
      if (sub != nullptr) line.command = sub;
    } else {
      ++line.arguments;
    }
  }
  return line;
}

void add_value(const OptionText& option, std::string before, std::string prefix, Candidates& out) {
  for (const std::string& choice : option.choices)
    if (choice.starts_with(prefix)) out.words.push_back({before + choice, ""});
  out.files = takes_file(option);
  out.images = takes_image(option);
  out.before = std::move(before);
  out.prefix = std::move(prefix);
}

void add_options(const TypedLine& line, const std::string& prefix, Candidates& out) {
  for (const OptionText& option : line.command->options) {
    if (!option.repeatable && line.given.contains(option.key())) continue;
    for (const std::string& name : option.names)
      if (name.starts_with(prefix)) out.words.push_back({name, option.text});
  }
}

}  // namespace

Candidates complete(const CommandText& program, const std::vector<std::string>& words) {
  Candidates out;
  if (words.empty()) return out;
  const TypedLine line = follow(program, words);
  const std::string& typed = words.back();
  if (line.astray) return out;
  if (line.waiting != nullptr) {
    add_value(*line.waiting, "", typed, out);
    return out;
  }
  if (!line.options_ended && typed.starts_with('-')) {
    const std::size_t equals = typed.find('=');
    if (equals == std::string::npos) {
      add_options(line, typed, out);
    } else if (const OptionText* option = line.command->option(typed.substr(0, equals))) {
      add_value(*option, typed.substr(0, equals + 1), typed.substr(equals + 1), out);
    }
    return out;
  }
  for (const CommandText& sub : line.command->commands)
    if (sub.own_name().starts_with(typed))
      out.words.push_back({std::string(sub.own_name()), sub.summary});
  const auto& arguments = line.command->arguments;
  if (arguments.empty()) return out;
  if (line.arguments < arguments.size())
    add_value(arguments[line.arguments], "", typed, out);
  else if (arguments.back().repeatable)
    add_value(arguments.back(), "", typed, out);
  return out;
}

bool is_plain_word(std::string_view word) {
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:@+-,=";
  return !word.empty() && word.front() != '-' && word.size() <= 512 &&
         word.find_first_not_of(kPlain) == std::string_view::npos;
}

}  // namespace cloister::cmd
