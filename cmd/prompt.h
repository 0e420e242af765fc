// Lines that people type, or programs write for us: asked on the terminal, read from a descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::cmd {

// The first line of a text, without its line end.
std::string first_line(std::string text);
// One line, at most 64 KiB; what follows it is left for others. `what` names the descriptor, and
// `of_what` what is read, in errors.
Result<std::string> read_line_fd(int fd, std::string_view what, std::string_view of_what);
// Asks on /dev/tty, whatever standard input is; with `secret` nothing typed is shown. Nothing where
// there is no terminal.
Result<std::optional<std::string>> ask_terminal(const std::string& prompt, bool secret);

}  // namespace cloister::cmd
