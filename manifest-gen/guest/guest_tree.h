// What a root file system for a guest holds, as a sorted list of entries, with the contents in a
// spool (base/spool.h): the input of every writer of such roots, an initramfs or a disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/digest.h"

namespace cloister::manifest {

struct GuestEntry {
  enum class Type : std::uint8_t { directory, file, symlink } type = Type::directory;
  std::uint32_t mode = 0755;  // permissions with set-user-ID, set-group-ID and sticky; no type bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;    // files: bytes
  std::uint64_t offset = 0;  // files: where the content starts in the spool; may be shared
  Digest sha256;             // files: of the content
  std::string link_target;   // symlinks

  bool operator==(const GuestEntry&) const = default;
};

// By path without leading '/': byte order, so that every directory stands before what is in it,
// and every parent is there. The root itself is the empty path where it is described.
using GuestTree = std::map<std::string, GuestEntry>;

}  // namespace cloister::manifest
