// Reads the manual off the declared options.
#pragma once

#include <CLI/App.hpp>

#include "cmd/manual/description.h"

namespace cloister::cmd {

// Of a program or command and all below it.
CommandText describe(const CLI::App& app);

}  // namespace cloister::cmd
