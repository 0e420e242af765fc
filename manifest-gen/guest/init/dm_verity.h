// Opens a disk with a hash tree (manifest-gen/guest/disk.h) in a guest: a block device of the
// kernel that gives the disk's bytes or none. C11 for the guest's /init: nothing but a C library is
// needed.
//
// The kernel has dm-mod and dm-verity; /dev is there, and /sys or /proc unless devtmpfs is on /dev.
#pragma once

#include <stddef.h>

// What happens when a block is not what the root hash stands for. No choice gives its bytes.
//
// The default stops the machine. A read that fails is an answer as well: a program may take a file
// that it cannot read for one that is not there, and whoever holds the disk could try out which
// block changes what the program does. After a panic there is a new boot and a new attestation, or
// none. It is not a restart by dm-verity, which would go round for ever: what follows is for
// `panic=` on the kernel's command line to say. Errors of the device itself stop it as well, where
// the kernel can (6.12); an older one makes EIO of them.
enum dm_verity_mode {
  DM_VERITY_PANIC,  // the kernel stops
  DM_VERITY_EIO,    // the read fails
};

struct dm_verity {
  const char* device;  // the disk, a block device, as /dev/vda
  const char* name;    // of the new device within device-mapper; not a path
  unsigned long long
      data_blocks;                // of 4096 bytes, from the beginning of the disk: they are checked
  unsigned long long hash_start;  // the block of the disk where the hash tree begins
  const char* root_hash;          // SHA-256, 64 lower-case hex digits
  const char* salt;               // lower-case hex of at most 256 bytes; "": none
  enum dm_verity_mode on_corruption;
};

// Makes the device, read-only, and writes the path of its node, as /dev/dm-0, to `node`.
// Answers 0, or -1 with one line for people in `error`; then there is no device.
// Nothing of the disk has been checked then: blocks are when they are read.
int dm_verity_open(const struct dm_verity* verity, char* node, size_t node_size, char* error,
                   size_t error_size);
