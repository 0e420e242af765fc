// The command table: one row per command, from which come the command line, --help, the manual
// pages, the reference and the completions.
#pragma once

#include <span>

#include "cmd/command.h"

namespace cloister::cmd {

// In the order in which people meet them.
std::span<const Command> commands();

}  // namespace cloister::cmd
