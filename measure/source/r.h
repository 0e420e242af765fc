// R: which packages, files and commands a text names; program text, a package's DESCRIPTION and
// NAMESPACE, and the chunks of R in documents (.Rmd, .qmd). Spelling of the names:
//   "package:NAME"    library, require, loadNamespace and their like, NAME::x; what NAMESPACE
//                     imports; Depends and Imports of DESCRIPTION
//   "suggests:NAME"   Suggests and Enhances of DESCRIPTION
//   "path:PATH"       a string that may name a file, or a directory; file.path and here are joined
//   "libraries:DIR"   .libPaths
//   "command:NAME"    system, system2, pipe; '*' when the text of the command is computed
//   "module:NAME"     what R loads at first use: "internet", "bitmaps", "workers"
//   "string:NAME"     a string that may be a package; only of texts that load computed names
// Dynamic: a package or a source file is loaded under a name that is computed.
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

bool is_r(std::string_view path, std::string_view shebang);
Facts scan_r(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
