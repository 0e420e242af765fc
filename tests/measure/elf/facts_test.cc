#include "measure/elf/facts.h"

#include <gtest/gtest.h>

#include "tests/measure/elf/elf_builder.h"

namespace cloister::measure::elf {
namespace {

const Limits kFactLimits;

TEST(ElfFacts, ReadsWhatDecidesTheSearch) {
  ElfBuilder elf;
  elf.interpreter = "/lib64/ld-linux-x86-64.so.2";
  elf.dynamic = {{1, elf.string("libb.so.2")}, {1, elf.string("liba.so.1")},
                 {15, elf.string("/old")},     {29, elf.string("$ORIGIN/../lib:/opt/lib")},
                 {14, elf.string("libme.so")}, {30, 8},
                 {0x6ffffffb, 0x08000001}};
  const auto facts = read_facts(elf.build(), kFactLimits);
  ASSERT_TRUE(facts.has_value()) << facts.error().what();
  EXPECT_TRUE(facts->is_x86_64());
  EXPECT_TRUE(facts->has_dynamic);
  EXPECT_EQ(facts->type, kTypeDyn);
  EXPECT_EQ(facts->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(facts->needed, (std::vector<std::string>{"libb.so.2", "liba.so.1"}));
  EXPECT_EQ(facts->rpath, "/old");
  EXPECT_EQ(facts->runpath, "$ORIGIN/../lib:/opt/lib");
  EXPECT_EQ(facts->soname, "libme.so");
  EXPECT_EQ(facts->flags, 8U);
  EXPECT_EQ(facts->flags_1, 0x08000001U);
}

TEST(ElfFacts, ReadsVersionNeedsWithTheirWeakness) {
  ElfBuilder elf;
  const auto libc = static_cast<std::uint32_t>(elf.string("libc.so.6"));
  const auto libm = static_cast<std::uint32_t>(elf.string("libm.so.6"));
  const auto v34 = static_cast<std::uint32_t>(elf.string("GLIBC_2.34"));
  const auto v2 = static_cast<std::uint32_t>(elf.string("GLIBC_2.2.5"));
  elf.version_needs = version_need(libc, {{v34, 0}, {v2, 2}}, 48);
  const Bytes second = version_need(libm, {{v2, 0}});
  elf.version_needs.insert(elf.version_needs.end(), second.begin(), second.end());
  const auto facts = read_facts(elf.build(), kFactLimits);
  ASSERT_TRUE(facts.has_value()) << facts.error().what();
  const std::vector<VersionNeed> want = {
      {"libc.so.6", {{"GLIBC_2.34", false}, {"GLIBC_2.2.5", true}}},
      {"libm.so.6", {{"GLIBC_2.2.5", false}}}};
  EXPECT_EQ(facts->version_needs, want);
}

TEST(ElfFacts, ReadsVersionDefinitionsWithoutTheBase) {
  ElfBuilder elf;
  const auto base = static_cast<std::uint32_t>(elf.string("libme.so"));
  const auto v1 = static_cast<std::uint32_t>(elf.string("ME_1.0"));
  ByteWriter out;
  for (const auto& [name, flags, next] :
       {std::tuple(base, std::uint16_t{1}, 28U), std::tuple(v1, std::uint16_t{0}, 0U)}) {
    out.u16(1);
    out.u16(flags);
    out.u16(2);
    out.u16(1);
    out.u32(0);
    out.u32(20);
    out.u32(next);
    out.u32(name);
    out.u32(0);
  }
  elf.version_definitions = out.take();
  const auto facts = read_facts(elf.build(), kFactLimits);
  ASSERT_TRUE(facts.has_value()) << facts.error().what();
  EXPECT_EQ(facts->version_definitions, std::vector<std::string>{"ME_1.0"});
}

// A loader whose RUNPATH was set in place: the string lies before the table, the offset wraps.
TEST(ElfFacts, FollowsAStringOffsetThatWraps) {
  ElfBuilder elf;
  elf.interpreter = "/gramine/ld.so";
  elf.dynamic = {{29, 0}};
  (void)elf.build();
  const std::uint64_t interp = elf.at_strings - (elf.interpreter.size() + 1);
  elf.dynamic = {{29, interp - elf.at_strings}};
  const auto facts = read_facts(elf.build(), kFactLimits);
  ASSERT_TRUE(facts.has_value()) << facts.error().what();
  EXPECT_EQ(facts->runpath, "/gramine/ld.so");
}

TEST(ElfFacts, TellsOnlyClassAndMachineOfOthers) {
  ElfBuilder elf;
  Bytes file = elf.build();
  poke(file, 4, 1, 1);  // ELFCLASS32
  poke(file, 18, kMachine386, 2);
  const auto small = read_facts(file, kFactLimits);
  ASSERT_TRUE(small.has_value());
  EXPECT_FALSE(small->is_64);
  EXPECT_EQ(small->machine, kMachine386);
  EXPECT_FALSE(small->has_dynamic);
  poke(file, 5, 2, 1);  // ELFDATA2MSB
  poke(file, 18, 0x1600, 2);
  const auto big = read_facts(file, kFactLimits);
  ASSERT_TRUE(big.has_value());
  EXPECT_FALSE(big->little_endian);
  EXPECT_EQ(big->machine, 22);  // EM_S390
}

TEST(ElfFacts, AStaticProgramHasNoDynamicSection) {
  ElfBuilder elf;
  Bytes file = elf.build();
  poke(file, 56, 1, 2);  // only the PT_LOAD
  const auto facts = read_facts(file, kFactLimits);
  ASSERT_TRUE(facts.has_value());
  EXPECT_FALSE(facts->has_dynamic);
  EXPECT_EQ(facts->interpreter, "");
}

TEST(ElfFacts, LooksLikeElf) {
  EXPECT_TRUE(looks_like_elf(as_bytes("\177ELF")));
  EXPECT_FALSE(looks_like_elf(as_bytes("\177EL")));
  EXPECT_FALSE(looks_like_elf(as_bytes("#!/bin/sh")));
}

TEST(LoadSegments, AreInProgramHeaderOrder) {
  ElfBuilder elf;
  elf.interpreter = "/x";
  const Bytes file = elf.build();
  const auto image = read_load_segments(file, kFactLimits);
  ASSERT_TRUE(image.has_value());
  ASSERT_EQ(image->segments.size(), 1U);
  EXPECT_EQ(image->segments[0].vaddr, elf.base);
  EXPECT_EQ(image->segments[0].file_size, file.size());
  EXPECT_EQ(image->segments[0].flags, 5U);
  EXPECT_EQ(image->entry, elf.base);
}

}  // namespace
}  // namespace cloister::measure::elf
