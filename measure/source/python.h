// Python: the modules that a file imports, and what else its text says about files.
//
// The names of source::Facts, in this language's spelling:
//
//   a.b         import a.b
//   a.b:c       from a.b import c          ("a.b:*" for a star; c may be a submodule)
//   .a:c  ..:c  from .a import c, from .. import c
//   .a          import_module(".a", package)
//   'a.b        a string that looks like a module, or a module and a name in it: "a.b", "a.b:c".
//               In a file that imports under computed names also one without a dot
//   @data       the text finds files beside itself: __file__, pkgutil.get_data, Flask(__name__) …
//   @lib:NAME   ctypes.CDLL("NAME") and its like; "@lib:" when the name is computed
//   @find:NAME  ctypes.util.find_library("NAME"); "@find:" when it is computed
//   @entry:G    the entry points of group G are looked up; "@entry:" when it is computed.
//               "@entry:G:NAME" for load_entry_point(distribution, "G", "NAME")
//   @run:TEXT   subprocess.run(["TEXT", …]), os.system("TEXT") and their like: a command line, or
//               the program of a list
//   @path:TEXT  a string in a statement that changes sys.path; "@path:" is there for each of them
//   /a/b        a string that is an absolute path
//   @zone:A/B   a string that is the name of a time zone
//
// A leading '!' says that the text stands below `if __name__ == "__main__":`. What stands below
// `if TYPE_CHECKING:` or a test for another system is left out: it never runs.
#pragma once

#include <string_view>

#include "measure/source/source.h"

namespace cloister::measure::source {

// ".py" files, scripts that a Python interpreter runs, and archives of modules (".pyz", ".egg",
// ".zip" …), in which the names of all modules stand together: not those of the archive's own.
bool is_python(std::string_view path, std::string_view shebang);
Facts scan_python(ByteView text, const Limits& limits);

// Shared objects where Python keeps its extension modules.
bool is_python_extension(std::string_view path, std::string_view shebang);
// An extension module imports by name from C: its constants that look like a module ("'a.b") or
// that are the name of one of the standard library. `file` is the whole ELF file.
Facts scan_python_extension(ByteView file, const Limits& limits);

}  // namespace cloister::measure::source
