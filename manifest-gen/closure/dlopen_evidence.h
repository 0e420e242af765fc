// What the code of a process asks for beyond what its ELF headers say: libraries for dlopen, and
// files whose names stand in it.
#pragma once

#include <cstddef>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/closure/process.h"

namespace cloister::manifest {

struct CodeEvidence {
  std::vector<ClosureRoot> roots;         // files to grant
  std::vector<Closure::Unknown> unknown;  // what was seen and not granted
};

// Looks at the objects of `process` from `first` on, opens in it the libraries that they are taken
// to open, and looks at those as well.
CodeEvidence follow_code(Process& process, std::size_t first, Scene& scene);

}  // namespace cloister::manifest
