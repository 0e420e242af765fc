// PAGE_INFO, 0x70 bytes, little-endian: 0 digest so far, 0x30 SHA-384 of the page or zeros, 0x60
// its own length (two bytes), 0x62 page type, 0x63 whether the page is of an initial migration
// image, 0x64 permissions of VMPL 3 to 1, 0x67 reserved, 0x68 guest-physical address.
#include "measure/snp/launch_hasher.h"

#include <algorithm>

namespace cloister::measure::snp {
namespace {

constexpr std::size_t kPageInfoSize = 0x70;
constexpr std::size_t kContentsAt = 0x30, kLengthAt = 0x60, kTypeAt = 0x62, kGpaAt = 0x68;

}  // namespace

void LaunchHasher::add(PageType type, std::uint64_t gpa, ByteView bytes) {
  for (std::uint64_t at = 0; at + kPageSize <= bytes.size(); at += kPageSize) {
    sha_.update(bytes.subspan(at, kPageSize));
    add_page(type, gpa + at, sha_.finish());
  }
}

void LaunchHasher::add_empty(PageType type, std::uint64_t gpa, std::uint64_t pages) {
  for (std::uint64_t i = 0; i < pages; ++i) add_page(type, gpa + i * kPageSize, {});
}

void LaunchHasher::add_page(PageType type, std::uint64_t gpa, const Digest384& content) {
  std::array<std::byte, kPageInfoSize> info{};
  std::copy(digest_.begin(), digest_.end(), info.begin());
  std::copy(content.begin(), content.end(), info.begin() + kContentsAt);
  info[kLengthAt] = std::byte{kPageInfoSize};
  info[kTypeAt] = static_cast<std::byte>(type);
  for (unsigned i = 0; i < 8; ++i) info[kGpaAt + i] = static_cast<std::byte>(gpa >> (8 * i) & 0xff);
  sha_.update(info);
  digest_ = sha_.finish();
}

}  // namespace cloister::measure::snp
