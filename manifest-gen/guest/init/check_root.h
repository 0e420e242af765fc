// Whether the root is all there. A kernel that runs out of memory while it unpacks an initramfs
// says so and boots on with what it has; the host chooses how much memory there is, and so which
// tail of the measured files would be missing.
#pragma once

#include "manifest-gen/guest/init/guest.h"

// Refuses a root where a listed name is absent, or another kind, size, mode or owner than listed.
void check_root(const struct guest* guest);
