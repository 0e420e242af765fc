// Where a command's result goes: standard output, or the file of -o.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::cmd {

// An empty path or "-" is standard output; a file appears complete or not at all.
Status write_result(const std::string& path, std::string_view text, unsigned mode = 0644);

}  // namespace cloister::cmd
