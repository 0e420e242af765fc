#include "cmd/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <set>

#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cmd/command_table.h"
#include "cmd/config_file.h"
#include "cmd/manual/describe.h"
#include "cmd/option_heading.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

template <class F>
void for_each_command(CLI::App& app, const F& f) {
  f(app);
  for (CLI::App* sub : app.get_subcommands(std::function<bool(CLI::App*)>()))
    for_each_command(*sub, f);
}

bool has_options(const CLI::App& app) {
  return app.get_subcommands({}).empty() && app.get_options({}).size() > 1;  // one: --help
}

std::vector<std::string> option_names(const CommandText& command) {
  std::vector<std::string> out;
  for (const OptionText& option : command.options)
    out.insert(out.end(), option.names.begin(), option.names.end());
  return out;
}

// The first word that looks like an option of no command on the line.
const std::string* unknown_option(const CommandText& command,
                                  const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (!word.starts_with("--") || command.option(word.substr(0, word.find('='))) != nullptr)
      continue;
    return &word;
  }
  return nullptr;
}

}  // namespace

CommandLine::CommandLine(std::string_view only)
    : app_(
          "cloister turns any OCI image into a signed, enclave-ready image that may touch only "
          "what it needs, and publishes the measurement a client must see before it trusts it.",
          "cloister") {
  app_.require_subcommand(1);
  app_.option_defaults()->group(std::string(kHeadingGeneral));
  app_.set_help_flag("-h,--help", "Show this text");
  app_.set_version_flag("--version", cat("cloister ", kVersion), "Show the version");
  app_.option_defaults()->group(std::string(kHeadingOptions));
  const bool known = std::any_of(commands().begin(), commands().end(),
                                 [&](const Command& command) { return command.name == only; });
  for (const Command& command : commands()) {
    CLI::App* sub = app_.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->footer(std::string(command.examples));
    if (!known || command.name == only) actions_.emplace_back(sub, command.add(*sub));
  }
  for_each_command(app_, [this](CLI::App& command) {
    OptionHeading heading(command, kHeadingGeneral);
    if (has_options(command))
      command.add_option("-f,--file", file_, "Take further options from this file (cloister.toml)")
          ->type_name("FILE");
    command.set_help_flag("-h,--help", "Show this text");
    // A repeatable option takes one value each time: it would take an argument that follows too,
    // and what stands in brackets apart.
    for (CLI::Option* option : command.get_options(std::function<bool(CLI::Option*)>()))
      if (!option->get_positional()) option->allow_extra_args(false);
  });
}

void CommandLine::relax() {
  for_each_command(app_, [](CLI::App& command) {
    for (CLI::Option* option : command.get_options(std::function<bool(CLI::Option*)>())) {
      option->required(false);
      for (CLI::Option* other : option->get_needs()) option->remove_needs(other);
      for (CLI::Option* other : option->get_excludes()) option->remove_excludes(other);
    }
  });
}

void CommandLine::parse(std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  app_.parse(std::move(words));
}

const Action& CommandLine::action() const {
  const auto at = std::find_if(actions_.begin(), actions_.end(),
                               [](const auto& action) { return action.first->parsed(); });
  return at->second;  // one is: a line without a command does not parse
}

CommandText CommandLine::manual() const {
  return describe(app_);
}

const CLI::App& CommandLine::command() const {
  const CLI::App* at = &app_;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::vector<std::string> CommandLine::path() const {
  std::vector<std::string> out;
  for (const CLI::App* at = &app_; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    out.push_back(at->get_name());
  }
  return out;
}

Result<std::vector<std::string>> with_file(const std::vector<std::string>& words,
                                           const Limits& limits) {
  const bool named = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("--file") || (word.starts_with("-f") && !word.starts_with("--"));
  });
  if (!named) return words;
  CommandLine typed;
  typed.relax();
  try {
    typed.parse(words);
  } catch (const CLI::ParseError&) {
    return words;
  }
  if (typed.file_.empty()) return words;
  const std::vector<std::string> path = typed.path();
  const std::string name = quote(typed.file_);
  CL_TRY(const std::string text, read_text_file(typed.file_, limits.overlay_bytes));
  CL_TRY(const auto settings, read_settings(text, typed.manual(), path, limits, name));

  // What was given, on the line or by a variable, is left alone.
  std::set<std::string> given;
  bool arguments = false;
  for (const CLI::Option* option : typed.command().get_options({})) {
    if (option->count() == 0) continue;
    if (option->get_positional()) arguments = true;
    for (const std::string& one : option->get_lnames()) given.insert(one);
  }
  std::vector<std::string> out = path;
  for (const Setting& setting : settings) {
    if (setting.argument ? arguments : given.contains(setting.key)) continue;
    out.insert(out.end(), setting.words.begin(), setting.words.end());
  }
  out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(path.size()), words.end());
  return out;
}

Error usage_error(const CommandText& program, const std::vector<std::string>& words,
                  const std::string& message) {
  const CommandText* command = &program;
  std::size_t at = 0;
  for (; at < words.size(); ++at) {
    const CommandText* sub = command->find(words[at]);
    if (sub == nullptr) break;
    command = sub;
  }
  const std::string lists =
      cat(command->name, " --help lists the ", command->commands.empty() ? "options" : "commands");
  if (!command->commands.empty()) {
    std::vector<std::string> known;
    for (const CommandText& sub : command->commands) known.emplace_back(sub.own_name());
    if (at == words.size()) return Error::usage(cat(command->name, " wants a command")).hint(lists);
    if (!words[at].starts_with('-')) {
      const auto near = nearest(words[at], known);
      return Error::usage(cat("there is no command ", quote(words[at]),
                              command == &program ? "" : cat(" of ", command->name)))
          .hint(did_you_mean(near, lists));
    }
  }
  if (const std::string* word = unknown_option(*command, words)) {
    const std::string name = word->substr(0, word->find('='));
    const auto near = nearest(name, option_names(*command));
    return Error::usage(cat(command->name, " has no option ", quote(name)))
        .hint(did_you_mean(near, lists));
  }
  return Error::usage(printable(message)).detail(cat("usage: ", command->usage())).hint(lists);
}

}  // namespace cloister::cmd
