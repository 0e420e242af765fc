// Which commands and files a shell script names: a scanner, not an interpreter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

// Every list without repeats, in order of first sight.
struct ShellScan {
  std::vector<std::string> commands;  // words where a command can stand, builtins left out
  std::vector<std::string> files;     // absolute paths anywhere in words
  std::vector<std::string> sourced;   // operands of "." and "source"
  bool runs_arguments = false;        // "$@" or $1 … where a command can stand (exec "$@")
};

// Over-approximates a little: patterns of "case" count as commands, and so do the operands of
// exec, set, env and other words that run their operands. Words with expansions are not guessed.
// Any bytes; time linear in the text.
ShellScan scan_shell(std::string_view text);

}  // namespace cloister::manifest
