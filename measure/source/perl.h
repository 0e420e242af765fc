// Perl: which modules and files a text names. Spelling of the names:
//   "module:A::B"   use, no and require of a bareword, parents, what a driver's name stands for
//   "string:A::B"   a string that is a module's name: loaded, perhaps, under that name. One
//                   without "::" counts only among what "use" is given
//   "file:PATH"     require or do with a string
//   "lib:PATH"      a directory of "use lib"; "@script" in front stands for the script's directory
//   "own:"          __FILE__: it may look for data beside itself
//   "charset:NAME"  a character set of China, Japan or Korea, whose tables are large; '*' when
//   Encode
//                   is given a name that is computed
// Dynamic: a module is loaded under a name that is computed.
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

bool is_perl(std::string_view path, std::string_view shebang);
Facts scan_perl(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
