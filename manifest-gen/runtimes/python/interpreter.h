// Which Python it is, and where it keeps its library: the search of getpath.py and site.py.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/python/command_line.h"

namespace cloister::manifest::python {

struct Interpreter {
  std::string executable;  // sys.executable: as it was started, absolute
  std::string real;        // every link resolved
  std::string version;     // "3.11", "3.13t"
  std::string tag;         // of extension modules: "cpython-311", "cpython-313t"
  std::string prefix;      // sys.prefix: the virtual environment when there is one
  std::string base_prefix;
  std::string environment_file;           // pyvenv.cfg, or empty
  std::string stdlib;                     // as sys.path spells it; empty when it was not found
  std::vector<std::string> library_path;  // zip, standard library, lib-dynload: those that exist
  std::vector<std::string> site_path;     // site- and dist-packages: those that exist
};

// By the name of the real program ("python3.11"): CPython 3 and nothing else.
bool is_python3(const ProgramStart& start, const AnalyzerScene& scene);

Result<Interpreter> find_interpreter(const ProgramStart& start, const CommandLine& command,
                                     const AnalyzerScene& scene);

}  // namespace cloister::manifest::python
