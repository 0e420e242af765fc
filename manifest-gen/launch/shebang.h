// "#!" lines as Linux (binfmt_script.c) and env(1) read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

struct Shebang {
  std::string interpreter;  // as spelled; Linux requires no absolute path, we do not either
  std::string argument;     // everything after the blanks that follow: one argument, or empty
};

// `text` is what follows "#!" on the first line. Nothing when it names no interpreter (Linux then
// fails with ENOEXEC).
std::optional<Shebang> parse_shebang(std::string_view text);

// The program that `env` with these arguments runs, if any: options and NAME=VALUE words are passed
// over, -S and --split-string are taken apart.
std::optional<std::string> env_program(const std::vector<std::string>& arguments);

// Shells whose scripts and -c strings are looked through, by base name.
bool is_shell(std::string_view base);

// How many "#!" Linux follows before ELOOP (fs/exec.c, exec_binprm).
inline constexpr int kShebangDepth = 5;

}  // namespace cloister::manifest
