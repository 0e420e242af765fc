// What the user leaves out of a closure that is otherwise complete: --exclude, --trust none.
#pragma once

#include "manifest-gen/closure/closure.h"

namespace cloister::manifest {

// Removes members and what only they need, and writes down what and why (Closure::excluded, denied,
// included). Members keep their order; members[0] stays the entrypoint. Errors: compute_closure().
Status narrow_closure(Closure& closure, const ClosureRequest& request,
                      const measure::Rootfs& rootfs);

}  // namespace cloister::manifest
