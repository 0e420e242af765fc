// The hash that the processor keeps while an enclave is built (Intel SDM vol. 3D, 37.4: ECREATE,
// EADD, EEXTEND): 64-byte records, and the content of measured pages in chunks of 256 bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/digest.h"

namespace cloister::measure::sgx {

inline constexpr std::uint64_t kPageSize = 4096;  // bytes
inline constexpr std::uint64_t kRecordSize = 64;  // bytes hashed per EADD
// Bytes hashed per measured page: one EADD, sixteen EEXTEND records, the page itself.
inline constexpr std::uint64_t kMeasuredPageCost = kRecordSize + 16 * kRecordSize + kPageSize;

// SECINFO.FLAGS (SDM vol. 3D, 34.11).
inline constexpr std::uint64_t kSecinfoR = 1, kSecinfoW = 2, kSecinfoX = 4, kSecinfoTcs = 0x100,
                               kSecinfoReg = 0x200;

// Offsets are bytes from the enclave base. Pages are added in the order of the calls.
class PageHasher {
 public:
  // ECREATE: SIZE in bytes, SSAFRAMESIZE in pages.
  PageHasher(std::uint64_t enclave_size, std::uint32_t ssa_frame_pages);

  // One measured page; `content` is at most a page, the rest is zero.
  void add_page(std::uint64_t offset, std::uint64_t secinfo, ByteView content);
  void add_zero_pages(std::uint64_t offset, std::uint64_t pages, std::uint64_t secinfo);
  // EADD alone: the address and protection are measured, the content is not.
  void add_unmeasured(std::uint64_t offset, std::uint64_t pages, std::uint64_t secinfo);
  Digest finish();

 private:
  std::byte* reserve(std::size_t size);
  void flush();
  Sha256 sha_;
  Bytes buffer_;
  std::size_t used_ = 0;
};

}  // namespace cloister::measure::sgx
