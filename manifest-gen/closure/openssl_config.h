// openssl.cnf (config(5)): the modules that it makes libcrypto load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

struct OpensslModules {
  // Names ("legacy": MODULESDIR/legacy.so) or absolute paths; built-in providers left out.
  std::vector<std::string> providers;
  // "dynamic_path" of each engine, else its name ("pkcs11": ENGINESDIR/pkcs11.so).
  std::vector<std::string> engines;
  std::vector<std::string> includes;  // ".include" lines, as they are
};
// Any text; in time linear in it.
OpensslModules parse_openssl_config(std::string_view text);

}  // namespace cloister::manifest
