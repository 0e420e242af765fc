// What asks for a file to be in the closure: a path or pattern, and the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

enum class Why {
  entrypoint,
  interpreter,
  needed,
  preload,
  dlopen_note,
  dlopen_string,
  nss,
  gconv,
  shebang,
  script_command,
  python_import,
  node_require,
  java_module,
  perl_use,
  ruby_require,
  php_include,
  r_library,
  argument,
  config,
  package_data,
  workdir,
  include
};
std::string_view why_name(Why why);  // "script-command"

// Extra roots beyond the entrypoint: --include, template rules, what analysers find.
struct ClosureRoot {
  std::string path_or_glob;  // absolute; '*' and '?' within a component, "**" across components
  Why why = Why::include;
  std::string detail;
  bool optional = false;  // absence is normal (template rules)
  // The file of the image that asks for it, as a path; empty: the program or the user does.
  std::string from{};
  // Of a program that is started: what it is given, argv[0] included, where that is known.
  std::vector<std::string> argv{};
};

}  // namespace cloister::manifest
