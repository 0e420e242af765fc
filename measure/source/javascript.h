// JavaScript: which modules and files a text names. Spelling of the names:
//   "require:SPEC"  require(SPEC): CommonJS resolution
//   "resolve:SPEC"  require.resolve(SPEC): the same, and the path is used for more than loading
//   "import:SPEC"   import … from SPEC, export … from SPEC, import(SPEC): ES module resolution
//   "file:PATH"     a string that begins with "./" or "../", or that is the name of a script:
//                   relative to the module, or to where the program starts
//   "run:COMMAND"   exec, spawn and their like of a string
//   "below:PATH"    what is joined to __dirname; empty: something that is not a literal
// A SPEC of which only the beginning is a literal (require('./lang/' + x)) ends in '*'. Dynamic: a
// SPEC without literal beginning.
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

bool is_javascript(std::string_view path, std::string_view shebang);
Facts scan_javascript(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
