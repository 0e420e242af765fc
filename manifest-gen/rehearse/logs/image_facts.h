// What an image adds to a run that was watched elsewhere: strace and Gramine do not know it.
#pragma once

#include <map>
#include <string>

#include "manifest-gen/rehearse/observed_run.h"
#include "measure/rootfs/rootfs.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {

// Types and real paths where the log has none; the loaders and interpreters that executed programs
// name, which the kernel opens; and which paths stand for the runtime's C library, `libc` (by base
// name; empty: none does), and so need no grant.
void add_image_facts(ObservedRun& run, const measure::Rootfs& rootfs,
                     const std::map<std::string, measure::RuntimeFile>& libc);

}  // namespace cloister::manifest
