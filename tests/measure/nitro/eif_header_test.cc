#include "measure/nitro/eif_header.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"
#include "tests/measure/nitro/test_eif.h"

namespace cloister::measure::nitro {
namespace {

EifHeader sound_header() {
  EifHeader header;
  header.flags = kEifArm64;
  header.default_memory = 0x0102030405060708;
  header.default_cpus = 5;
  header.sections = {{548, 100}, {660, 0}, {672, 7}};
  header.crc32 = 0xdeadbeef;
  return header;
}

TEST(EifHeader, IsWrittenAsItIsRead) {
  const Bytes bytes = encode_eif_header(sound_header());
  EXPECT_EQ(bytes.size(), kEifHeaderSize);
  EXPECT_EQ(must(parse_eif_header(bytes)), sound_header());
  const Bytes vector = eif_vector("unsigned.eif");
  const ByteView head = ByteView(vector).first(kEifHeaderSize);
  const Bytes again = encode_eif_header(must(parse_eif_header(head)));
  EXPECT_TRUE(std::equal(head.begin(), head.end(), again.begin(), again.end()));
}

TEST(EifHeader, NoOtherVersionIsGuessedAt) {
  EifHeader header = sound_header();
  for (const std::uint16_t version : std::vector<std::uint16_t>{0, 1, 5, 0x0400}) {
    header.version = version;
    const auto parsed = parse_eif_header(encode_eif_header(header));
    ASSERT_FALSE(parsed.has_value()) << version;
    EXPECT_EQ(parsed.error().code(), Code::unsupported);
  }
  for (const std::uint16_t version : std::vector<std::uint16_t>{2, 3, 4}) {
    header.version = version;
    EXPECT_TRUE(parse_eif_header(encode_eif_header(header)).has_value()) << version;
  }
}

TEST(EifHeader, SectionsFollowEachOther) {
  const std::vector<std::vector<EifExtent>> wrong = {
      {},
      {{548, 1}},                // too few
      {{549, 100}, {661, 1}},    // a gap before the first
      {{548, 100}, {661, 1}},    // a gap
      {{548, 100}, {659, 1}},    // an overlap
      {{548, 100}, {548, 100}},  // the same twice
      {{548, ~0ULL}, {547, 1}},  // a size that wraps around
      {{548, 100}, {660, ~0ULL - 660}},
  };
  for (const auto& sections : wrong) {
    EifHeader header;
    header.sections = sections;
    const auto parsed = parse_eif_header(encode_eif_header(header));
    ASSERT_FALSE(parsed.has_value()) << sections.size();
    EXPECT_EQ(parsed.error().code(), Code::corrupt);
  }
}

TEST(EifHeader, OtherBytesAreNone) {
  Bytes bytes = encode_eif_header(sound_header());
  bytes[27] = std::byte{33};  // more sections than there is room for
  EXPECT_FALSE(parse_eif_header(bytes).has_value());
  bytes = encode_eif_header(sound_header());
  bytes[0] = std::byte{'x'};
  EXPECT_FALSE(parse_eif_header(bytes).has_value());
  bytes = encode_eif_header(sound_header());
  EXPECT_FALSE(parse_eif_header(ByteView(bytes).first(547)).has_value());
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(parse_eif_header(bytes).has_value());
}

TEST(EifHeader, SectionsAreOfKnownTypes) {
  for (std::uint8_t type = 1; type <= 5; ++type) {
    const Bytes bytes = encode_eif_section_header({static_cast<EifSectionType>(type), 0x1234});
    ASSERT_EQ(bytes.size(), kEifSectionHeaderSize);
    EXPECT_EQ(must(parse_eif_section_header(bytes)).size, 0x1234U);
  }
  for (const std::uint16_t type : std::vector<std::uint16_t>{0, 6, 0x100})
    EXPECT_FALSE(
        parse_eif_section_header(encode_eif_section_header({static_cast<EifSectionType>(type), 1}))
            .has_value());
}

}  // namespace
}  // namespace cloister::measure::nitro
