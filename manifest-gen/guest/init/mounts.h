// What the program sees: kernel file systems, the root read-only, and places to write to.
#pragma once

#include "manifest-gen/guest/init/guest.h"

// /proc, /sys and /dev of the initramfs, and the console as standard input, output and error.
void mount_kernel_file_systems(void);

// The root as a mount of its own: from the initramfs, or the disk's device.
void mount_root(const char* device);

// Everything below the root, then the root itself becomes read-only and this process's root.
void enter_root(const struct guest* guest);
