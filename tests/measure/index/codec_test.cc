#include <gtest/gtest.h>

#include "measure/index/layer_index.h"
#include "tests/measure/index/sample_index.h"

namespace cloister::measure {
namespace {

using testing::sample_index;

void expect_equal(const LayerIndex& a, const LayerIndex& b) {
  EXPECT_EQ(a.blob, b.blob);
  EXPECT_EQ(a.diff_id, b.diff_id);
  EXPECT_EQ(a.tar_bytes, b.tar_bytes);
  EXPECT_TRUE(a.entries == b.entries);
  EXPECT_TRUE(a.elfs == b.elfs);
  EXPECT_TRUE(a.pack == b.pack);
}

TEST(LayerIndexCodec, GivesBackWhatItTook) {
  const LayerIndex index = sample_index();
  const auto back = decode_layer_index(encode_layer_index(index), {});
  ASSERT_TRUE(back.has_value()) << back.error().what();
  expect_equal(*back, index);
  expect_equal(*decode_layer_index(encode_layer_index({}), {}), {});
}

TEST(LayerIndexCodec, WritesTheSameBytesForTheSameIndex) {
  LayerIndex a, b;
  for (int i = 0; i < 100; ++i) a.pack[sha256(std::to_string(i))] = to_bytes("x");
  for (int i = 99; i >= 0; --i) b.pack[sha256(std::to_string(i))] = to_bytes("x");
  EXPECT_EQ(encode_layer_index(a), encode_layer_index(b));
}

TEST(LayerIndexCodec, RefusesAnotherSchema) {
  Bytes bytes = encode_layer_index(sample_index());
  bytes[4] ^= std::byte{0x40};
  EXPECT_EQ(decode_layer_index(bytes, {}).error().code(), Code::unsupported);
}

TEST(LayerIndexCodec, RefusesEveryTruncationAndEveryAddition) {
  Bytes bytes = encode_layer_index(sample_index());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_layer_index(Bytes(bytes.data(), bytes.data() + size), {}).has_value())
        << size;
  bytes.push_back(std::byte{0});
  EXPECT_EQ(decode_layer_index(bytes, {}).error().code(), Code::corrupt);
}

// Whatever a damaged byte does, it must not crash, and counts must not allocate the moon.
TEST(LayerIndexCodec, SurvivesEveryFlippedByte) {
  const Bytes bytes = encode_layer_index(sample_index());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      Bytes damaged = bytes;
      damaged[i] ^= static_cast<std::byte>(flip);
      const auto index = decode_layer_index(damaged, {});
      if (!index.has_value()) continue;
      for (const Entry& e : index->entries)
        EXPECT_LT(e.elf, static_cast<std::int32_t>(index->elfs.size()));
    }
  }
}

}  // namespace
}  // namespace cloister::measure
