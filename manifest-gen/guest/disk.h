// A guest's root as a disk: an EROFS image, then the hash tree by which the guest's kernel checks
// each block that it reads. Whoever has the root hash needs to trust nothing of the disk.
//
//   block 0               EROFS
//   block data_blocks     superblock for veritysetup; the guest does not read it
//   block hash_start      the hash tree
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "base/spool.h"
#include "base/time.h"
#include "manifest-gen/guest/disk_format.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

// What the guest must be told, over a channel that is measured.
struct GuestDisk {
  std::uint64_t blocks = 0;       // of kDiskBlock bytes: the whole disk
  std::uint64_t data_blocks = 0;  // those that are checked
  std::uint64_t hash_start = 0;   // the first block of the tree
  Digest root;
  Bytes salt;
};

// Writes the disk in order. The same arguments give the same bytes. Memory grows with the number of
// files, not with their sizes; the tree (1/127 of the disk) goes through a temporary file.
// `salt`, which may be empty, goes before each block that is hashed: two disks with the same block
// differ in its digest where their salts differ.
// REQUIRES: `contents` holds what the files of `tree` say. Errors: as lay_out_erofs() and
// VerityHasher::create(), and those of `sink`.
Result<GuestDisk> write_guest_disk(const GuestTree& tree, const FileSpool& contents, Seconds mtime,
                                   ByteView salt, const Limits& limits, const DiskSink& sink);

}  // namespace cloister::manifest
