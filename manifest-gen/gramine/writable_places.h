// Directories that a program will want to write to and whose contents may be lost at exit.
#pragma once

#include <string>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct WritablePlace {
  std::string path;    // a directory
  std::string reason;  // for people
};

// WORKDIR when the image lacks it, and directories for caches, logs, locks and pid files that hold
// no file: named by the program, or owned by somebody other than root. Sorted by path. What is
// meant to stay (/var/lib, volumes) is never among them.
std::vector<WritablePlace> writable_places(const Launch& launch, const Closure& closure,
                                           const measure::Rootfs& rootfs);

}  // namespace cloister::manifest
