// The records as the SDM writes them, spelled out byte by byte and hashed in one piece.
#include "measure/sgx/page_hash.h"

#include <gtest/gtest.h>

namespace cloister::measure::sgx {
namespace {

Bytes ecreate(std::uint64_t size, std::uint32_t frame) {
  ByteWriter out;
  out.text(std::string_view("ECREATE\0", 8));
  out.u32(frame);
  out.u64(size);
  out.zeros(44);
  return out.take();
}

void eadd(ByteWriter& out, std::uint64_t offset, std::uint64_t secinfo) {
  out.text(std::string_view("EADD\0\0\0\0", 8));
  out.u64(offset);
  out.u64(secinfo);
  out.zeros(40);
}

void page(ByteWriter& out, std::uint64_t offset, std::uint64_t secinfo, Bytes content) {
  content.resize(kPageSize);
  eadd(out, offset, secinfo);
  for (std::uint64_t i = 0; i < kPageSize; i += 256) {
    out.text(std::string_view("EEXTEND\0", 8));
    out.u64(offset + i);
    out.zeros(48);
    out.bytes(ByteView(content).subspan(i, 256));
  }
}

TEST(PageHasher, HashesTheRecordsOfTheManual) {
  ByteWriter want;
  want.bytes(ecreate(0x123000, 4));
  const Bytes content = to_bytes("hello");
  page(want, 0x5000, kSecinfoReg | kSecinfoR, content);
  page(want, 0x7000, kSecinfoTcs, Bytes(kPageSize, std::byte{7}));
  eadd(want, 0x9000, kSecinfoReg);

  PageHasher hasher(0x123000, 4);
  hasher.add_page(0x5000, kSecinfoReg | kSecinfoR, content);
  hasher.add_page(0x7000, kSecinfoTcs, Bytes(kPageSize, std::byte{7}));
  hasher.add_unmeasured(0x9000, 1, kSecinfoReg);
  EXPECT_EQ(hasher.finish(), sha256(want.view()));
}

// The buffer is flushed many times, at places that fall differently for the two kinds of record.
TEST(PageHasher, BufferingDoesNotShow) {
  ByteWriter want;
  want.bytes(ecreate(0x100000000, 1));
  PageHasher hasher(0x100000000, 1);
  std::uint64_t offset = 0;
  for (std::uint64_t round = 0; round < 7; ++round) {
    for (std::uint64_t i = 0; i < 37 * round; ++i) eadd(want, offset + i * kPageSize, 0x207);
    hasher.add_unmeasured(offset, 37 * round, 0x207);
    offset += 37 * round * kPageSize;
    for (std::uint64_t i = 0; i < 11; ++i) page(want, offset + i * kPageSize, 0x203, {});
    hasher.add_zero_pages(offset, 11, 0x203);
    offset += 11 * kPageSize;
  }
  EXPECT_EQ(hasher.finish(), sha256(want.view()));
}

}  // namespace
}  // namespace cloister::measure::sgx
