// Where everything lies in an EROFS image, before a byte of it is written.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/guest/disk_format.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

struct ErofsInode {
  const GuestTree::value_type* entry = nullptr;
  std::uint32_t parent = 0;             // index of its directory; the root is its own
  std::vector<std::uint32_t> children;  // directories: indices, by name
  std::uint32_t links = 1;              // directories: 2, and one for each directory in it
  std::uint64_t size = 0;               // bytes of a file, a link's target, a directory's list
  bool extended = false;                // 64 bytes instead of 32
  std::uint64_t position = 0;           // of the inode: bytes from the start of the image
  std::uint64_t in_blocks = 0;          // bytes of `size` that lie in blocks of their own,
  std::uint64_t block = 0;              // which begin here; the rest follows the inode
  bool shares_blocks = false;           // they are those of a file before it

  std::uint64_t inode_bytes() const { return extended ? 64 : 32; }
};

struct ErofsLayout {
  std::vector<ErofsInode> inodes;  // in the order of the tree; the root is the first
  std::uint64_t data_block = 0;    // the first one after the metadata
  std::uint64_t blocks = 0;        // of the whole image
};

// REQUIRES: `tree` outlives the result. `limit` above guest_root_bytes (of the image) or
// name_bytes, `unsupported` for what Linux could not name or link to.
Result<ErofsLayout> lay_out_erofs(const GuestTree& tree, const Limits& limits);

// One line of a directory. They are sorted, "." and ".." among them: the kernel looks names up by
// halving.
struct ErofsName {
  std::string_view name;
  std::uint32_t inode = 0;  // index
};
std::vector<ErofsName> names_of(const ErofsLayout& layout, std::uint32_t directory);

inline constexpr std::uint64_t kErofsDirent = 12;  // bytes of a name's entry, beside the name
// How many of the first names share a block. REQUIRES: not empty.
std::size_t names_in_block(std::span<const ErofsName> names);

}  // namespace cloister::manifest
