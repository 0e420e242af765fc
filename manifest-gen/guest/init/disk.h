// The disk that holds the root, checked block by block.
#pragma once

#include "manifest-gen/guest/init/guest.h"

// The device node that gives its bytes, or none: the root hash is on the kernel command line. Lives
// as long as the guest.
const char* open_disk(const struct disk* disk);
