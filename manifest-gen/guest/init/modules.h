// Kernel modules, in the order of the guest document: what a module needs stands before it.
#pragma once

#include "manifest-gen/guest/init/guest.h"

void load_modules(const struct guest* guest);
