// Files that libraries open on their own, with nobody naming them: one table row each.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "manifest-gen/closure/closure.h"

namespace cloister::manifest {

struct SystemFilesInput {
  bool glibc = false, musl = false;
  const std::set<std::string>* sonames = nullptr;  // every library in the closure
  const std::vector<std::string>* library_directories = nullptr;
};

// All optional; files and patterns.
std::vector<ClosureRoot> system_files(const Launch& launch, const measure::Rootfs& rootfs,
                                      const SystemFilesInput& input);

}  // namespace cloister::manifest
