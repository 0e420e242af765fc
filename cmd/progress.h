// What a person sees while layers move: a bar per layer on a terminal, plain lines otherwise.
#pragma once

#include <memory>
#include <string_view>

#include "base/progress.h"

namespace cloister::cmd {

enum class ProgressMode { none, plain, tty };

// Writes to stderr. `columns` is the width of the terminal.
std::unique_ptr<Progress> make_progress(ProgressMode mode, unsigned columns);

}  // namespace cloister::cmd
