// What the parts of a guest's disk have in common.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"

namespace cloister::manifest {

inline constexpr std::size_t kDiskBlock = 4096;  // bytes; of the file system and of the hash tree

// Takes the bytes of a disk in order, in pieces of any size.
using DiskSink = std::function<Status(ByteView)>;

// A name made from what is named, so that equal disks have equal ones: version 8 of RFC 9562, 5.8.
std::array<std::byte, 16> uuid_of(const Digest& digest);

}  // namespace cloister::manifest
