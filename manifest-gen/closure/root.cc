#include "manifest-gen/closure/root.h"

namespace cloister::manifest {

std::string_view why_name(Why why) {
  switch (why) {
    case Why::entrypoint:
      return "entrypoint";
    case Why::interpreter:
      return "interpreter";
    case Why::needed:
      return "needed";
    case Why::preload:
      return "preload";
    case Why::dlopen_note:
      return "dlopen-note";
    case Why::dlopen_string:
      return "dlopen-string";
    case Why::nss:
      return "nss";
    case Why::gconv:
      return "gconv";
    case Why::shebang:
      return "shebang";
    case Why::script_command:
      return "script-command";
    case Why::python_import:
      return "python-import";
    case Why::node_require:
      return "node-require";
    case Why::java_module:
      return "java-module";
    case Why::perl_use:
      return "perl-use";
    case Why::ruby_require:
      return "ruby-require";
    case Why::php_include:
      return "php-include";
    case Why::r_library:
      return "r-library";
    case Why::argument:
      return "argument";
    case Why::config:
      return "config";
    case Why::package_data:
      return "package-data";
    case Why::workdir:
      return "workdir";
    case Why::include:
      return "include";
  }
  return "";
}

}  // namespace cloister::manifest
