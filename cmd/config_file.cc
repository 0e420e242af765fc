#include "cmd/config_file.h"

#include <algorithm>
#include <map>

#include "base/hint.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/toml.h"

namespace cloister::cmd {
namespace {

// Options that say something about one run, or where this file is.
bool settable(const OptionText& option) {
  const std::string key = option.key();
  return key != "help" && key != "file" && key != "version";
}

class SettingsReader {
 public:
  SettingsReader(const std::vector<TomlPlace>& places, std::string_view what)
      : places_(places), what_(what) {}

  // What stands in `table` for `command`, which is on the way to the wanted one when `rest` is not
  // null; then `rest` are the names that follow.
  Status table(const TomlTable& table, const CommandText& command, const std::string& prefix,
               const std::vector<std::string>* rest) {
    for (const auto& [name, value] : table) {
      const std::string dotted = prefix.empty() ? toml_key(name) : cat(prefix, ".", toml_key(name));
      if (const TomlTable* below = value.table()) {
        const CommandText* sub = command.find(name);
        if (sub == nullptr) return unknown(dotted, name, "command", names_below(command));
        const bool on_path = rest != nullptr && !rest->empty() && rest->front() == name;
        const std::vector<std::string> further =
            on_path ? std::vector<std::string>(rest->begin() + 1, rest->end())
                    : std::vector<std::string>();
        CL_CHECK(this->table(*below, *sub, dotted, on_path ? &further : nullptr));
        continue;
      }
      if (command.find(name) != nullptr)
        return wrong(dotted, value.type_name(), cat("a table: [", dotted, "]"));
      std::vector<std::string> known;
      collect_keys(command, known);
      if (std::find(known.begin(), known.end(), name) == known.end())
        return unknown(dotted, name, "option", known);
      if (rest == nullptr) continue;
      const CommandText* target = &command;
      for (const std::string& next : *rest) target = target->find(next);
      if (const OptionText* option = find_key(*target, name)) CL_CHECK(set(*option, dotted, value));
    }
    return {};
  }

  std::vector<Setting> in_order(const CommandText& target) && {
    std::vector<Setting> out;
    for (const OptionText& option : target.options) take(option.key(), out);
    for (const OptionText& argument : target.arguments) take(argument.key(), out);
    return out;
  }

 private:
  static std::vector<std::string> names_below(const CommandText& command) {
    std::vector<std::string> out;
    for (const CommandText& sub : command.commands) out.emplace_back(sub.own_name());
    return out;
  }
  static void collect_keys(const CommandText& command, std::vector<std::string>& out) {
    for (const auto* options : {&command.options, &command.arguments})
      for (const OptionText& option : *options)
        if (settable(option)) out.push_back(option.key());
    for (const CommandText& sub : command.commands) collect_keys(sub, out);
  }
  static const OptionText* find_key(const CommandText& command, std::string_view key) {
    for (const auto* options : {&command.options, &command.arguments})
      for (const OptionText& option : *options)
        if (settable(option) && option.key() == key) return &option;
    return nullptr;
  }

  std::string place(const std::string& dotted) const {
    const auto place = std::find_if(places_.begin(), places_.end(), [&](const TomlPlace& one) {
      return one.key == dotted && one.element.empty();
    });
    return place == places_.end() ? std::string(what_) : cat(what_, ", line ", place->line);
  }
  Error unknown(const std::string& dotted, const std::string& name, std::string_view kind,
                const std::vector<std::string>& known) const {
    Error error = Error::usage(cat(place(dotted), ": there is no ", kind, " ", quote(name)));
    return std::move(error).hint(did_you_mean(
        nearest(name, known), kind == "command"
                                  ? "tables are commands: [build]; cloister --help lists them"
                                  : "keys are long options without dashes: enclave-size = \"1G\""));
  }
  Error wrong(const std::string& dotted, std::string_view got, std::string_view want) const {
    return Error::usage(cat(place(dotted), ": ", dotted, " is ", got)).hint(cat("want ", want));
  }

  Result<std::string> word(const OptionText& option, const std::string& dotted,
                           const TomlValue& value) const {
    std::string text;
    if (const std::string* string = value.string())
      text = *string;
    else if (const std::int64_t* integer = value.integer())
      text = cat(*integer);
    else
      return wrong(dotted, value.type_name(),
                   option.repeatable ? "strings, in a list" : "a string or an integer");
    if (text.find('\0') != std::string::npos)
      return wrong(dotted, "a text with a zero byte", "one that could be typed");
    if (option.value == "N" && !parse_u64(text)) return wrong(dotted, quote(text), "a number");
    const auto& choices = option.choices;
    if (!choices.empty() && !option.open &&
        std::find(choices.begin(), choices.end(), text) == choices.end()) {
      const auto near = nearest(text, choices);
      return wrong(dotted, quote(text),
                   near ? cat(join(choices, ", "), "; did you mean ", quote(*near), "?")
                        : join(choices, ", "));
    }
    return text;
  }

  void spell(const OptionText& option, const std::string& text, Setting& out) const {
    if (option.argument) {
      out.words.push_back(text);
    } else if (text.empty()) {  // "--user=" would take the next word
      out.words.push_back("--" + out.key);
      out.words.emplace_back();
    } else {
      out.words.push_back(cat("--", out.key, "=", text));
    }
  }

  Status set(const OptionText& option, const std::string& dotted, const TomlValue& value) {
    Setting out{option.key(), option.argument, {}};
    const bool* flag = value.boolean();
    if (option.is_flag() && flag == nullptr)
      return wrong(dotted, value.type_name(), "true or false");
    if (flag != nullptr && (option.is_flag() || option.value_optional)) {
      if (*flag)
        out.words.push_back("--" + out.key);
      else if (option.is_flag())
        out.words.push_back(cat("--", out.key, "=false"));
    } else if (const TomlArray* list = value.array()) {
      if (!option.repeatable) return wrong(dotted, "a list", "one value");
      for (const TomlValue& item : *list) {
        CL_TRY(const std::string text, word(option, dotted, item));
        spell(option, text, out);
      }
    } else {
      CL_TRY(const std::string text, word(option, dotted, value));
      if (option.argument && text.starts_with('-'))
        return wrong(dotted, quote(text), "no text that begins with '-'");
      spell(option, text, out);
    }
    // Deeper tables are nearer, and tables come in any order.
    const auto depth = static_cast<std::size_t>(std::count(dotted.begin(), dotted.end(), '.'));
    auto& kept = found_[out.key];
    if (kept.first <= depth) kept = {depth, std::move(out)};
    return {};
  }

  void take(const std::string& key, std::vector<Setting>& out) {
    const auto found = found_.find(key);
    if (found != found_.end() && !found->second.second.words.empty())
      out.push_back(std::move(found->second.second));
  }

  const std::vector<TomlPlace>& places_;
  std::string_view what_;
  std::map<std::string, std::pair<std::size_t, Setting>> found_;  // with the depth of its table
};

}  // namespace

Result<std::vector<Setting>> read_settings(std::string_view text, const CommandText& program,
                                           const std::vector<std::string>& path,
                                           const Limits& limits, std::string_view what) {
  static constexpr Advice kAdvice{"correct the file; https://toml.io describes the syntax",
                                  "options are at most three levels deep: [cache.prune]",
                                  "options are strings, integers, booleans and lists of strings"};
  auto table = parse_toml(text, limits, what);
  if (!table.has_value()) {  // exit 2, as for a wrong command line
    const Error error = advise(std::move(table).error(), kAdvice);
    return Error::usage(error.what()).hint(error.hint());
  }
  CL_TRY(const std::vector<TomlPlace> places, toml_places(text, limits, what));
  SettingsReader reader(places, what);
  CL_CHECK(reader.table(*table, program, "", &path));
  const CommandText* target = &program;
  for (const std::string& name : path) target = target->find(name);
  return std::move(reader).in_order(*target);
}

}  // namespace cloister::cmd
