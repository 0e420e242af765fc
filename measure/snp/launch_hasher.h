// The launch digest that AMD's security processor keeps while a guest's first memory is added
// (SEV Secure Nested Paging Firmware ABI Specification, 56860, SNP_LAUNCH_UPDATE and the table
// PAGE_INFO): each page is hashed together with the digest so far.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/sha384.h"

namespace cloister::measure::snp {

inline constexpr std::uint64_t kPageSize = 4096;  // bytes

// PAGE_TYPE of PAGE_INFO. The contents count of normal pages and VMSAs, of the others only that
// they are there.
enum class PageType : std::uint8_t {
  normal = 1,
  vmsa = 2,
  zero = 3,
  unmeasured = 4,
  secrets = 5,
  cpuid = 6,
};

// Addresses are guest-physical. Pages count in the order of the calls. Not thread-safe.
class LaunchHasher {
 public:
  LaunchHasher() = default;
  // Goes on from a digest.
  explicit LaunchHasher(const Digest384& digest) : digest_(digest) {}

  // Whole pages with contents. REQUIRES: bytes.size() is a multiple of kPageSize.
  void add(PageType type, std::uint64_t gpa, ByteView bytes);
  // `pages` pages without.
  void add_empty(PageType type, std::uint64_t gpa, std::uint64_t pages);
  // The digest so far; that of nothing is 48 zero bytes.
  const Digest384& digest() const { return digest_; }

 private:
  void add_page(PageType type, std::uint64_t gpa, const Digest384& content);
  Digest384 digest_{};
  Sha384 sha_;
};

}  // namespace cloister::measure::snp
