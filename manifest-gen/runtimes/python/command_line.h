// What "python3 …" is asked to run (python(1), "Command line and environment").
#pragma once

#include <string>
#include <vector>

namespace cloister::manifest::python {

struct CommandLine {
  enum class Runs { nothing, script, module, code } runs = Runs::nothing;
  std::string target;                  // the script's path, the module's name, the code
  std::vector<std::string> arguments;  // those of the program that runs
  bool ignores_environment = false;    // -E, -I
  bool no_user_site = false;           // -s, -I
  bool no_site = false;                // -S
  bool safe_path = false;              // -P, -I: neither script directory nor working directory
};

// `argv` with the interpreter's name first.
CommandLine parse_command_line(const std::vector<std::string>& argv);

}  // namespace cloister::manifest::python
