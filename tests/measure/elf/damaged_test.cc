// Files that lie: each one must end in a clear error, or in facts, but never in a crash, a hang or
// a large allocation.
#include <gtest/gtest.h>

#include "measure/elf/facts.h"
#include "tests/measure/elf/elf_builder.h"

namespace cloister::measure::elf {
namespace {

const Limits kLimits;

ElfBuilder sample() {
  ElfBuilder elf;
  elf.interpreter = "/lib/ld.so";
  elf.dynamic = {{1, elf.string("libc.so.6")}};
  const auto libc = static_cast<std::uint32_t>(elf.string("libc.so.6"));
  const auto version = static_cast<std::uint32_t>(elf.string("V_1"));
  elf.version_needs = version_need(libc, {{version, 0}});
  return elf;
}

Code code_of(const Bytes& file) {
  const auto facts = read_facts(file, kLimits);
  EXPECT_FALSE(facts.has_value());
  return facts.has_value() ? Code::internal : facts.error().code();
}

TEST(DamagedElf, EveryTruncationIsAnError) {
  const Bytes whole = sample().build();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto facts = read_facts(part, kLimits);
    ASSERT_FALSE(facts.has_value()) << size;
    ASSERT_EQ(facts.error().code(), Code::corrupt) << size;
    ASSERT_FALSE(read_load_segments(part, kLimits).has_value()) << size;
  }
  EXPECT_TRUE(read_facts(whole, kLimits).has_value());
}

TEST(DamagedElf, EveryByteSetToAnExtremeIsSurvived) {
  const Bytes whole = sample().build();
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
      Bytes file = whole;
      file[at] = static_cast<std::byte>(value);
      (void)read_facts(file, kLimits);
      (void)read_load_segments(file, kLimits);
    }
}

TEST(DamagedElf, ProgramHeadersOutsideTheFile) {
  Bytes file = sample().build();
  poke(file, 32, file.size() - 10, 8);
  EXPECT_EQ(code_of(file), Code::corrupt);
  poke(file, 32, ~0ULL - 8, 8);
  EXPECT_EQ(code_of(file), Code::corrupt);
}

TEST(DamagedElf, TooManyProgramHeadersAreALimit) {
  Bytes file = sample().build();
  poke(file, 56, 0xffff, 2);  // PN_XNUM
  EXPECT_EQ(code_of(file), Code::limit);
}

TEST(DamagedElf, WrongProgramHeaderSize) {
  Bytes file = sample().build();
  poke(file, 54, 32, 2);
  EXPECT_EQ(code_of(file), Code::corrupt);
}

TEST(DamagedElf, DynamicSectionWithoutEnd) {
  ElfBuilder elf = sample();
  elf.terminated = false;
  EXPECT_EQ(code_of(elf.build()), Code::corrupt);
}

TEST(DamagedElf, DynamicSectionOutsideTheLoadedFile) {
  ElfBuilder elf = sample();
  Bytes file = elf.build();
  poke(file, 64 + 2 * 56 + 16, elf.base + file.size(), 8);  // p_vaddr of PT_DYNAMIC
  EXPECT_EQ(code_of(file), Code::corrupt);
}

TEST(DamagedElf, StringsOutsideTheFile) {
  for (const std::uint64_t offset :
       {std::uint64_t{100000}, std::uint64_t{1} << 40, ~std::uint64_t{0} << 40}) {
    ElfBuilder elf;
    elf.dynamic = {{1, offset}};
    EXPECT_EQ(code_of(elf.build()), Code::corrupt) << offset;
  }
}

TEST(DamagedElf, StringWithoutEnd) {
  ElfBuilder elf;
  elf.dynamic = {{14, 0}};
  Bytes file = elf.build();
  const Bytes tail = to_bytes("never ends");
  poke(file, 64 + 32, file.size() + tail.size(), 8);  // p_filesz of PT_LOAD
  poke(file, 64 + 40, file.size() + tail.size(), 8);
  poke(file, elf.at_dynamic + 16 + 8, file.size() - elf.at_strings, 8);  // DT_SONAME
  file.insert(file.end(), tail.begin(), tail.end());
  EXPECT_EQ(code_of(file), Code::corrupt);
}

TEST(DamagedElf, AnOverlongStringIsALimit) {
  ElfBuilder elf;
  elf.dynamic = {{14, elf.string(std::string(kLimits.elf_string_bytes, 'x'))}};
  EXPECT_TRUE(read_facts(elf.build(), kLimits).has_value());
  elf = {};
  elf.dynamic = {{14, elf.string(std::string(kLimits.elf_string_bytes + 1, 'x'))}};
  EXPECT_EQ(code_of(elf.build()), Code::limit);
}

TEST(DamagedElf, TooManyLibrariesAreALimit) {
  ElfBuilder elf;
  const std::uint64_t name = elf.string("a");
  elf.dynamic.assign(kLimits.elf_needed, {1, name});
  EXPECT_TRUE(read_facts(elf.build(), kLimits).has_value());
  elf.dynamic.emplace_back(1, name);
  EXPECT_EQ(code_of(elf.build()), Code::limit);
}

TEST(DamagedElf, TooManyDynamicEntriesAreALimit) {
  ElfBuilder elf;
  elf.dynamic.assign(kLimits.elf_dynamic + 1, {0x6ffffef5, 0});
  EXPECT_EQ(code_of(elf.build()), Code::limit);
}

// Many names of the longest length, all the same bytes: what is stored stays bounded.
TEST(DamagedElf, AllNamesTogetherAreBounded) {
  ElfBuilder elf;
  const std::uint64_t name = elf.string(std::string(kLimits.elf_string_bytes, 'x'));
  elf.dynamic.assign(kLimits.elf_needed, {1, name});
  EXPECT_EQ(code_of(elf.build()), Code::limit);
}

// Lists only go forward; overlapping entries four bytes apart would still make many of few bytes.
TEST(DamagedElf, OverlappingVersionEntriesAreBounded) {
  Limits limits;
  limits.elf_versions = 100;
  ElfBuilder elf;
  ByteWriter out;
  out.u16(1);
  out.u16(1);
  out.u32(0);
  out.u32(16);
  out.u32(0);
  for (int i = 0; i < 1000; ++i) out.u32(4);  // each vna_next: the entry 4 bytes on
  elf.version_needs = out.take();
  const auto facts = read_facts(elf.build(), limits);
  ASSERT_FALSE(facts.has_value());
  EXPECT_EQ(facts.error().code(), Code::limit);
}

TEST(DamagedElf, VersionTableThatLeavesTheFile) {
  ElfBuilder elf;
  elf.version_needs = version_need(0, {{0, 0}}, 0xffffffff);
  EXPECT_EQ(code_of(elf.build()), Code::corrupt);
  elf.version_needs = version_need(0, {{0, 0}});
  poke(elf.version_needs, 8, 0xfffffff0, 4);  // vn_aux
  EXPECT_EQ(code_of(elf.build()), Code::corrupt);
  elf.version_needs = version_need(0, {{0, 0}});
  poke(elf.version_needs, 0, 2, 2);  // vn_version
  EXPECT_EQ(code_of(elf.build()), Code::corrupt);
}

TEST(DamagedElf, InterpreterWithoutEnd) {
  ElfBuilder elf = sample();
  Bytes file = elf.build();
  poke(file, 64 + 56 + 32, elf.interpreter.size(), 8);  // p_filesz without the NUL
  EXPECT_EQ(code_of(file), Code::corrupt);
}

TEST(DamagedLoadSegments, MoreInTheFileThanInMemory) {
  Bytes file = sample().build();
  poke(file, 64 + 40, file.size() - 1, 8);
  const auto image = read_load_segments(file, kLimits);
  ASSERT_FALSE(image.has_value());
  EXPECT_EQ(image.error().code(), Code::corrupt);
}

TEST(DamagedLoadSegments, NothingToLoad) {
  Bytes file = sample().build();
  poke(file, 64, 4, 4);
  EXPECT_FALSE(read_load_segments(file, kLimits).has_value());
  poke(file, 56, 0, 2);
  EXPECT_FALSE(read_load_segments(file, kLimits).has_value());
}

TEST(DamagedLoadSegments, AnotherClassIsUnsupported) {
  Bytes file = sample().build();
  poke(file, 4, 1, 1);
  const auto image = read_load_segments(file, kLimits);
  ASSERT_FALSE(image.has_value());
  EXPECT_EQ(image.error().code(), Code::unsupported);
}

}  // namespace
}  // namespace cloister::measure::elf
