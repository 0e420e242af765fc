// PHP: which files a text includes. Spelling of the names:
//   "include:PATH"   include and require of a string: looked for in include_path
//   "own:REL"        a path made of __DIR__ or dirname(__FILE__), relative to this file's
//   directory;
//                    with a '/' at its end the beginning of one whose end is computed
//   "run:COMMAND"    exec, proc_open and their like of a string, or of a list that begins with one
//   "zone:NAME"      a time zone, as of the time zone directory; '*' when the name is computed
// Dynamic: a file is included whose name is computed, or classes are loaded by their names.
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

bool is_php(std::string_view path, std::string_view shebang);
Facts scan_php(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
