// The hash tree by which Linux checks every block of a disk that it reads: dm-verity with hash type
// 1, SHA-256, and blocks of 4096 bytes (Linux Documentation/admin-guide/device-mapper/verity.rst;
// what `veritysetup format` writes by default).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/spool.h"
#include "manifest-gen/guest/disk_format.h"

namespace cloister::manifest {

inline constexpr std::size_t kMaxVeritySalt = 256;  // bytes

struct VerityTree {
  Digest root;
  FileSpool blocks;  // as they lie on the disk: level by level, the root's children first
};

// Hashes a disk as it passes; the tree, 1/127 of it, goes to a file. Not thread-safe.
class VerityHasher {
 public:
  // Of `data_blocks` blocks, at least one. `salt`, which may be empty, goes before each block that
  // is hashed. `invalid` for a salt that is too long, `limit` for a disk that is.
  static Result<VerityHasher> create(std::uint64_t data_blocks, ByteView salt);

  // The data in order, in pieces of any size.
  Status update(ByteView bytes);
  // `internal` unless exactly the data_blocks have come. Nothing may be called afterwards.
  Result<VerityTree> finish();

 private:
  struct Level {
    std::uint64_t position = 0;  // in the spool: where its next block goes
    Bytes block;                 // digests that do not fill one yet
  };

  VerityHasher(std::uint64_t data_blocks, ByteView salt, FileSpool spool);
  Digest hash(ByteView block);
  Status add_block(ByteView block);
  Status add_digest(std::size_t level, Digest digest);
  Result<Digest> flush(Level& level);

  std::uint64_t blocks_left_;
  Bytes salt_;
  Sha256 hasher_;
  FileSpool spool_;
  std::vector<Level> levels_;  // that of the data's digests first
  Bytes partial_;              // the beginning of a data block
  Digest root_;
};

// The block before the tree, by which veritysetup knows what it is. The kernel does not read it,
// and nothing that must be trusted may: it is not covered by the root. REQUIRES: a salt of at most
// kMaxVeritySalt bytes.
Bytes verity_superblock(std::uint64_t data_blocks, ByteView salt,
                        std::span<const std::byte, 16> uuid);

}  // namespace cloister::manifest
