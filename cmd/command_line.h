// The command line: CLI11's parser, filled from the command table; with the options of a file
// (config_file.h) where -f names one; and what to say about words that are no command or option.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/manual/description.h"

namespace cloister::cmd {

class CommandLine {
 public:
  // Every command, declared; nothing parsed. With the name of one, only that one has its options:
  // declaring all of them takes longer than some commands.
  explicit CommandLine(std::string_view only = {});
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Takes a command line (without the program's name) once. Throws CLI::ParseError, and
  // CLI::Success for --help and --version.
  void parse(std::vector<std::string> words);
  // Of the command that was parsed.
  const Action& action() const;

  CommandText manual() const;
  // Names of the commands that were parsed, outermost first: "cache", "ls".
  std::vector<std::string> path() const;
  const CLI::App& command() const;  // the innermost of them

 private:
  friend Result<std::vector<std::string>> with_file(const std::vector<std::string>& words,
                                                    const Limits& limits);
  void relax();  // takes what a file may complete
  CLI::App app_;
  std::vector<std::pair<CLI::App*, Action>> actions_;
  std::string file_;  // -f
};

// The words, and behind the command's name those that the file of -f adds. Words that are wrong by
// themselves come back as they are: parsing them says why.
Result<std::vector<std::string>> with_file(const std::vector<std::string>& words,
                                           const Limits& limits);

// What is wrong with a command line, with the nearest right word; `message` is CLI11's.
Error usage_error(const CommandText& program, const std::vector<std::string>& words,
                  const std::string& message);

}  // namespace cloister::cmd
