// Records are gathered into a buffer of 80 KiB: one EADD record is a single SHA-256 block, and a
// call into OpenSSL for each would cost more than hashing it. An enclave of 64 GiB has 16.8
// million of them (1 GiB to hash).
//
// Trap: the tags are eight bytes, padded with NUL, and numbers little-endian; what follows is zero.
#include "measure/sgx/page_hash.h"

#include <algorithm>
#include <cstring>

namespace cloister::measure::sgx {
namespace {

constexpr std::size_t kChunk = 256;  // EEXTEND
constexpr std::size_t kBuffer = 16 * kMeasuredPageCost;

void put(std::byte* at, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) at[i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

// REQUIRES: the 64 bytes at `at` are zero.
void put_tag(std::byte* at, std::string_view tag) {
  std::memcpy(at, tag.data(), tag.size());
}

}  // namespace

PageHasher::PageHasher(std::uint64_t enclave_size, std::uint32_t ssa_frame_pages)
    : buffer_(kBuffer) {
  std::byte* record = reserve(kRecordSize);
  put_tag(record, "ECREATE");
  put(record + 8, ssa_frame_pages, 4);
  put(record + 12, enclave_size, 8);
}

std::byte* PageHasher::reserve(std::size_t size) {
  if (buffer_.size() - used_ < size) flush();
  std::byte* at = buffer_.data() + used_;
  std::memset(at, 0, size);
  used_ += size;
  return at;
}

void PageHasher::flush() {
  sha_.update(ByteView(buffer_).first(used_));
  used_ = 0;
}

void PageHasher::add_page(std::uint64_t offset, std::uint64_t secinfo, ByteView content) {
  add_unmeasured(offset, 1, secinfo);
  std::byte* at = reserve(kMeasuredPageCost - kRecordSize);
  for (std::size_t i = 0; i < kPageSize; i += kChunk, at += kRecordSize + kChunk) {
    put_tag(at, "EEXTEND");
    put(at + 8, offset + i, 8);
    if (i >= content.size()) continue;
    const ByteView chunk = content.subspan(i, std::min(kChunk, content.size() - i));
    std::memcpy(at + kRecordSize, chunk.data(), chunk.size());
  }
}

void PageHasher::add_zero_pages(std::uint64_t offset, std::uint64_t pages, std::uint64_t secinfo) {
  for (std::uint64_t i = 0; i < pages; ++i) add_page(offset + i * kPageSize, secinfo, {});
}

void PageHasher::add_unmeasured(std::uint64_t offset, std::uint64_t pages, std::uint64_t secinfo) {
  for (std::uint64_t i = 0; i < pages; ++i) {
    std::byte* at = reserve(kRecordSize);
    put_tag(at, "EADD");
    put(at + 8, offset + i * kPageSize, 8);
    put(at + 16, secinfo, 8);
  }
}

Digest PageHasher::finish() {
  flush();
  return sha_.finish();
}

}  // namespace cloister::measure::sgx
