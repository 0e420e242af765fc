// What kernel modules say of themselves, and files that say it wrongly.
#include "measure/elf/module_info.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"
#include "tests/measure/elf/elf_builder.h"
#include "tests/measure/elf/module_builder.h"

namespace cloister::measure::elf {
namespace {

// Offsets in the ELF header and in a section header.
constexpr std::size_t kSectionsAt = 0x28, kSectionSize = 0x3a, kSectionCount = 0x3c,
                      kNamesIndex = 0x3e;
constexpr std::size_t kName = 0, kOffset = 24, kSize = 32;

Code refusal_of(ByteView module) {
  const auto info = read_module_info(module, Limits());
  return info.has_value() ? Code::internal : info.error().code();
}

TEST(ModuleInfo, IsRead) {
  const ModuleInfo info = must(read_module_info(
      ModuleBuilder::named("virtio_net", "virtio,virtio_ring,net_failover", "6.1.0-56").build(),
      Limits()));
  EXPECT_EQ(info.name, "virtio_net");
  EXPECT_EQ(info.depends, (std::vector<std::string>{"virtio", "virtio_ring", "net_failover"}));
  EXPECT_EQ(info.vermagic, "6.1.0-56 SMP preempt mod_unload modversions ");
}

TEST(ModuleInfo, NeedsNoMoreThanAName) {
  const ModuleInfo info = must(read_module_info(
      ModuleBuilder{{"", "nonsense", "=", "alias=name=x", "name=x", "depends=,,"}}.build(),
      Limits()));
  EXPECT_EQ(info.name, "x");
  EXPECT_TRUE(info.depends.empty());
  EXPECT_TRUE(info.vermagic.empty());
  EXPECT_EQ(refusal_of(ModuleBuilder{{"depends=a", "name="}}.build()), Code::corrupt);
  EXPECT_EQ(refusal_of(ModuleBuilder{{}}.build()), Code::corrupt);
}

// The kernel asks for the first one.
TEST(ModuleInfo, TheFirstAnswerCounts) {
  const ModuleInfo info = must(read_module_info(
      ModuleBuilder{{"name=a", "name=b", "vermagic=1 ", "vermagic=2 "}}.build(), Limits()));
  EXPECT_EQ(info.name, "a");
  EXPECT_EQ(info.vermagic, "1 ");
}

TEST(ModuleInfo, IsBounded) {
  Limits limits;
  limits.elf_string_bytes = 10;
  EXPECT_TRUE(read_module_info(ModuleBuilder{{"name=12345"}}.build(), limits).has_value());
  EXPECT_EQ(read_module_info(ModuleBuilder{{"name=123456"}}.build(), limits).error().code(),
            Code::limit);
  limits = Limits();
  limits.kernel_modules = 2;
  EXPECT_EQ(must(read_module_info(ModuleBuilder{{"name=x", "depends=a,b,c"}}.build(), limits))
                .depends.size(),
            2U);
}

TEST(ModuleInfo, EveryTruncationIsRefused) {
  const Bytes whole = ModuleBuilder::named("x", "a,b", "6.1").build();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal_of(ByteView(whole).first(size)), Code::internal) << size;
}

TEST(ModuleInfo, OtherFilesAreRefused) {
  EXPECT_EQ(refusal_of({}), Code::corrupt);
  EXPECT_EQ(refusal_of(as_bytes(std::string_view("#!/bin/sh\n"))), Code::corrupt);
  EXPECT_EQ(refusal_of(ElfBuilder().build()), Code::corrupt);
  Bytes module = ModuleBuilder::named("x", "", "6.1").build();
  for (const auto& [offset, value] : {std::pair{4, 1}, std::pair{5, 2}}) {  // 32 bits; big-endian
    Bytes other = module;
    poke(other, static_cast<std::size_t>(offset), static_cast<std::uint64_t>(value), 1);
    EXPECT_EQ(refusal_of(other), Code::corrupt) << offset;
  }
}

TEST(ModuleInfo, HostileSectionTablesAreRefused) {
  ModuleBuilder builder = ModuleBuilder::named("x", "", "6.1");
  const Bytes whole = builder.build();
  ASSERT_EQ(refusal_of(whole), Code::internal);
  const std::size_t info = builder.at_sections + 128, names = builder.at_sections + 192;
  struct Change {
    std::size_t offset;
    std::uint64_t value;
    unsigned size;
  };
  const Change changes[] = {
      {kSectionsAt, 0, 8},         {kSectionsAt, whole.size() - 1, 8},
      {kSectionsAt, ~0ULL, 8},     {kSectionsAt, ~0ULL - 255, 8},  // the end overflows to 0
      {kSectionSize, 0, 2},        {kSectionSize, 40, 2},
      {kSectionSize, 0xffff, 2},   {kSectionCount, 0, 2},
      {kSectionCount, 2, 2},       {kSectionCount, 5, 2},
      {kSectionCount, 0xffff, 2},  {kNamesIndex, 0, 2},
      {kNamesIndex, 4, 2},         {kNamesIndex, 0xffff, 2},
      {names + kOffset, ~0ULL, 8}, {names + kOffset, whole.size(), 8},
      {names + kSize, ~0ULL, 8},   {names + kSize, 0, 8},
      {names + kSize, 10, 8},      {info + kName, 0, 4},
      {info + kName, 8, 4},        {info + kName, 0xffffffff, 4},
      {info + kOffset, ~0ULL, 8},  {info + kOffset, whole.size() + 1, 8},
      {info + kSize, ~0ULL, 8},    {info + kSize, whole.size(), 8},
      {info + kSize, 0, 8},
  };
  for (const Change& change : changes) {
    Bytes module = whole;
    poke(module, change.offset, change.value, change.size);
    EXPECT_EQ(refusal_of(module), Code::corrupt) << change.offset << " " << change.value;
  }
}

}  // namespace
}  // namespace cloister::measure::elf
