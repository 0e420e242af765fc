#include "manifest-gen/guest/disk_format.h"

#include <algorithm>

namespace cloister::manifest {

std::array<std::byte, 16> uuid_of(const Digest& digest) {
  std::array<std::byte, 16> uuid{};
  std::copy_n(digest.bytes.begin(), uuid.size(), uuid.begin());
  uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x80};
  uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80};
  return uuid;
}

}  // namespace cloister::manifest
