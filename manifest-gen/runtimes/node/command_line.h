// The command line of node: which word is the program, and what the options load before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest::node {

struct CommandLine {
  std::string script;                // as written; empty: none
  std::vector<std::string> text;     // -e and -p: programs on the command line
  std::vector<std::string> require;  // -r
  std::vector<std::string> import;   // --import, --loader
  std::vector<std::string> conditions;
  std::vector<std::string> files;      // options whose value is a file or directory that node reads
  std::string run;                     // --run NAME: a script of package.json
  std::vector<std::string> arguments;  // behind the script
};

// `words` are argv without argv[0]; `environment` is NODE_OPTIONS.
CommandLine parse_command_line(const std::vector<std::string>& words, std::string_view environment);

// Words of a shell command up to the first operator; leading NAME=VALUE words are left out. Empty
// when it does more than start one program with literal arguments.
std::vector<std::string> simple_command(std::string_view text);

}  // namespace cloister::manifest::node
