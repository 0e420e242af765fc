// The choice of how MarbleRun recognises an enclave, for `inspect` and `marblerun`.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>

#include "cmd/report/marblerun.h"

namespace cloister::cmd {

// --identity; `value` stays empty when it is not given, which is `unique`.
void add_identity_option(CLI::App& app, std::string& value);
MarbleIdentity marble_identity(std::string_view value);

}  // namespace cloister::cmd
