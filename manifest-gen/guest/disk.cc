#include "manifest-gen/guest/disk.h"

#include <algorithm>

#include "base/stream.h"
#include "manifest-gen/guest/erofs.h"
#include "manifest-gen/guest/verity.h"

namespace cloister::manifest {
namespace {

Status copy_spool(const FileSpool& spool, const DiskSink& sink) {
  Bytes buffer;
  for (std::uint64_t done = 0; done < spool.size(); done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(spool.size() - done, kStreamBuffer));
    CL_CHECK(spool.read(done, buffer));
    CL_CHECK(sink(buffer));
  }
  return {};
}

}  // namespace

Result<GuestDisk> write_guest_disk(const GuestTree& tree, const FileSpool& contents, Seconds mtime,
                                   ByteView salt, const Limits& limits, const DiskSink& sink) {
  CL_TRY(const ErofsLayout layout, lay_out_erofs(tree, limits));
  CL_TRY(VerityHasher hasher, VerityHasher::create(layout.blocks, salt));
  const auto write_and_hash = [&](ByteView bytes) -> Status {
    CL_CHECK(hasher.update(bytes));
    return sink(bytes);
  };
  CL_CHECK(write_erofs(layout, contents, mtime, write_and_hash));
  CL_TRY(const VerityTree hashes, hasher.finish());
  CL_CHECK(sink(verity_superblock(layout.blocks, salt, uuid_of(hashes.root))));
  CL_CHECK(copy_spool(hashes.blocks, sink));

  GuestDisk disk;
  disk.data_blocks = layout.blocks;
  disk.hash_start = layout.blocks + 1;
  disk.blocks = disk.hash_start + hashes.blocks.size() / kDiskBlock;
  disk.root = hashes.root;
  disk.salt = Bytes(salt.begin(), salt.end());
  return disk;
}

}  // namespace cloister::manifest
