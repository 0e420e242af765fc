// Application kinds: templates/kinds/*.toml, data compiled into the program.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/toml.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// One template: how it is recognised, what it grants beyond the ELF closure, and manifest values.
struct Kind {
  std::string name;                   // file name without .toml
  std::string summary;                // one line for people
  std::vector<std::string> programs;  // base names (globs) of the program that is recognised
  std::vector<ClosureRoot> grants;    // [[grant]] path, reason
  std::vector<std::pair<std::string, std::string>> env;  // set when the image does not set them
  std::vector<std::string> tmpfs;  // writable places where losing data is right
  bool nonzero_user = false;       // root servers that drop privileges need uid != 0
  TomlTable manifest;              // [manifest]: merged structurally under the generated values
};

Result<std::vector<Kind>> load_kinds();
// By program name (script interpreters are looked through: "#!/usr/bin/python3"), then whether the
// program is static, then the default kind "native".
Result<Kind> choose_kind(const Launch& launch, const measure::Rootfs& rootfs);

}  // namespace cloister::manifest
