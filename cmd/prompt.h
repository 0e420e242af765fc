// Lines that people type, or programs write for us: asked on the terminal, read from a descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cloister::cmd {

// One line, at most 64 KiB; what follows it is left for others. `what` names the descriptor, and
// `of_what` what is read, in errors.
Result<Secret> read_line_fd(int fd, std::string_view what, std::string_view of_what);
// Asks on /dev/tty, whatever standard input is; with `secret` nothing typed is shown. Nothing where
// there is no terminal.
Result<std::optional<Secret>> ask_terminal(const std::string& prompt, bool secret);

}  // namespace cloister::cmd
