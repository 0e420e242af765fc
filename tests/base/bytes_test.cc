#include "base/bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace cloister {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(Checked, ArithmeticRefusesToWrap) {
  std::uint64_t out = 0;
  EXPECT_TRUE(checked_add<std::uint64_t>(kMax - 1, 1, out));
  EXPECT_EQ(out, kMax);
  EXPECT_FALSE(checked_add<std::uint64_t>(kMax, 1, out));
  EXPECT_TRUE(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 31, out));
  EXPECT_FALSE(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 32, out));
}

TEST(Slice, TakesOnlyWhatIsWhollyInside) {
  const Bytes bytes = to_bytes("abcdef");
  EXPECT_EQ(as_text(*slice(bytes, 2, 3)), "cde");
  EXPECT_EQ(slice(bytes, 6, 0)->size(), 0U);
  EXPECT_FALSE(slice(bytes, 6, 1));
  EXPECT_FALSE(slice(bytes, 7, 0));
  EXPECT_FALSE(slice(bytes, 1, kMax));  // 1 + kMax wraps to 0
  EXPECT_FALSE(slice(bytes, kMax, 2));
  EXPECT_TRUE(slice({}, 0, 0));
}

TEST(ByteReader, ReadsLittleEndianInOrder) {
  ByteWriter w;
  w.u8(0x01);
  w.u16(0x0203);
  w.u32(0x04050607);
  w.u64(0x08090a0b0c0d0e0fULL);
  w.text("xyz");
  w.zeros(2);
  EXPECT_EQ(w.size(), 20U);
  EXPECT_EQ(w.view()[1], std::byte{0x03});
  const Bytes bytes = w.take();
  ByteReader r(bytes);
  EXPECT_EQ(r.u8(), 0x01U);
  EXPECT_EQ(r.u16(), 0x0203U);
  EXPECT_EQ(r.u32(), 0x04050607U);
  EXPECT_EQ(r.u64(), 0x08090a0b0c0d0e0fULL);
  EXPECT_EQ(as_text(r.bytes(3)), "xyz");
  EXPECT_EQ(r.remaining(), 2U);
  r.skip(2);
  EXPECT_TRUE(r.finish("record").has_value());
}

TEST(ByteReader, StaysFailedAfterTheFirstReadPastTheEnd) {
  const Bytes bytes = to_bytes("\x01\x02\x03");
  ByteReader r(bytes);
  EXPECT_EQ(r.u16(), 0x0201U);
  EXPECT_EQ(r.u32(), 0U);  // one byte is left: all or nothing
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.u8(), 0U);  // although a byte is there
  EXPECT_TRUE(r.bytes(1).empty());
  r.seek(0);
  EXPECT_EQ(r.u8(), 0U);
  const Status status = r.finish("record");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), Code::corrupt);
  EXPECT_EQ(status.error().what(), "record is truncated or malformed at byte 2 of 3");
}

TEST(ByteReader, SeeksWithinTheViewOnly) {
  const Bytes bytes = to_bytes("abcd");
  ByteReader r(bytes);
  r.seek(3);
  EXPECT_EQ(r.u8(), 'd');
  r.seek(4);
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.remaining(), 0U);
  r.seek(5);
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, ToldToFailNamesThePlace) {
  const Bytes bytes = to_bytes("abcd");
  ByteReader r(bytes);
  r.skip(1);
  r.fail();
  r.fail();
  EXPECT_NE(r.finish("thing").error().what().find("at byte 1 of 4"), std::string::npos);
}

TEST(ByteReader, HugeSizesDoNotWrap) {
  const Bytes bytes = to_bytes("abcd");
  ByteReader r(bytes);
  r.skip(2);
  EXPECT_TRUE(r.bytes(kMax).empty());
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, EmptyViewIsAtItsEnd) {
  ByteReader r({});
  EXPECT_TRUE(r.finish("nothing").has_value());
  EXPECT_EQ(r.u8(), 0U);
  EXPECT_FALSE(r.ok());
}

}  // namespace
}  // namespace cloister
