// Which commands a shell script runs, with which words: a scanner, not an interpreter.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::manifest {

// A simple command that the script may run. Functions and builtins are looked through or left out.
struct Invocation {
  std::vector<std::string> words;  // the command first; never empty
  bool complete = true;   // false: words are missing, or hold an expansion as it is spelled
  bool argument = false;  // the command is itself an argument of the script: exec "$@"
  std::string file;       // the sourced file it stands in; empty: the script itself
  bool operator==(const Invocation&) const = default;
};

struct ShellScan {
  std::vector<Invocation> invocations;   // each once, in order of first sight
  std::vector<std::string> files;        // absolute paths anywhere in words; not what is written to
  std::vector<std::string> directories;  // operands of "cd"
  struct Source {
    std::string path;  // as the script spells it
    std::string from;  // the sourced file that names it; empty: the script itself
    bool operator==(const Source&) const = default;
  };
  std::vector<Source> sourced;  // operands of "." and "source"
  // Absolute directories that it puts into LD_LIBRARY_PATH, for what it runs.
  std::vector<std::string> library_directories;
  std::vector<std::string> unknown;  // words where a command stands, as spelled: "$CMD"
  bool runs_arguments = false;       // "$@" or $1 … where a command can stand
};

// What the script finds when it starts. All of it may be left out.
struct ShellScene {
  std::string script;                  // $0
  std::vector<std::string> arguments;  // $1 …
  bool arguments_known = true;         // false: there may be others
  std::vector<std::pair<std::string, std::string>> env;
  std::string workdir = "/";
  // The text of a file that is sourced, looked at in place; nothing when it cannot be had.
  std::function<std::optional<std::string>(const std::string& path)> source;
  // The paths that a pattern of a "for" loop stands for.
  std::function<std::vector<std::string>(const std::string& pattern)> glob;
};

// Branches are not followed: a variable may have every value that is assigned to it anywhere, and a
// command is reported once for each. Over-approximates therefore, within fixed bounds. Any bytes;
// time linear in the text (and in what is sourced).
ShellScan scan_shell(std::string_view text, const ShellScene& scene = {});

}  // namespace cloister::manifest
