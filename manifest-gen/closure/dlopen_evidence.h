// What the code of a process asks for beyond what its ELF headers say: libraries for dlopen, and
// files whose names stand in it.
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/closure/process.h"

namespace cloister::manifest {

struct CodeEvidence {
  std::vector<ClosureRoot> roots;         // files to grant
  std::vector<Closure::Unknown> unknown;  // what was seen and not granted
  // Directories of plug-ins of which nothing was granted: configuration decides.
  struct Plugins {
    std::string program, directory;
    std::vector<std::string> files;  // paths
    bool operator<(const Plugins& other) const {
      return std::tie(program, directory) < std::tie(other.program, other.directory);
    }
  };
  std::vector<Plugins> plugins;
};

// Looks at the objects of `process` from `first` on, opens in it the libraries that they are taken
// to open, and looks at those as well.
CodeEvidence follow_code(Process& process, std::size_t first, Scene& scene);

}  // namespace cloister::manifest
