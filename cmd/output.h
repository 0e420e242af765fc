// Where a command's result goes: standard output, or the file of -o.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cmd/environment.h"

namespace cloister::cmd {

// An empty path or "-" is standard output; a file appears complete or not at all.
Status write_result(const std::string& path, std::string_view text, unsigned mode = 0644);

// How the result looks there: as wide as the terminal and coloured on one, else plain and 80
// columns.
struct ResultStyle {
  unsigned width = 80;
  bool color = false;
};
ResultStyle result_style(const Environment& env, bool no_color, const std::string& path);

}  // namespace cloister::cmd
