#include "measure/elf/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measure/elf/noted_imports.h"
#include "tests/measure/elf/elf_builder.h"

namespace cloister::measure::elf {
namespace {

using Names = std::vector<std::string>;

Facts facts_of(const Bytes& file, const Limits& limits = {}) {
  auto facts = read_facts(file, limits);
  if (!facts.has_value()) {
    ADD_FAILURE() << facts.error().what();
    return {};
  }
  return std::move(*facts);
}

Names strings_of(std::string_view data, const Limits& limits = {}) {
  ElfBuilder elf;
  elf.data = to_bytes(data);
  return facts_of(elf.build(), limits).strings;
}

// C strings, one after the other.
std::string texts(const Names& list) {
  std::string out(1, '\0');
  for (const std::string& text : list) {
    out += text;
    out += '\0';
  }
  return out;
}

void symbol(ByteWriter& out, std::uint64_t name, std::uint16_t section) {
  out.u32(static_cast<std::uint32_t>(name));
  out.u8(0x12);
  out.u8(0);
  out.u16(section);
  out.zeros(16);
}

// Undefined dlopen and mine(), defined getpwnam, and getgrnam, undefined and last.
struct WithSymbols {
  ElfBuilder elf;
  static constexpr std::uint64_t kSymbols = 5;

  WithSymbols() {
    const std::uint64_t dlopen = elf.string("dlopen"), mine = elf.string("mine"),
                        getpwnam = elf.string("getpwnam"), getgrnam = elf.string("getgrnam");
    ByteWriter out;
    symbol(out, 0, 0);
    symbol(out, dlopen, 0);
    symbol(out, mine, 0);
    symbol(out, getpwnam, 4);
    symbol(out, getgrnam, 0);
    elf.data = out.take();
  }
  // With a table at the end of the data.
  Names imports(std::uint64_t tag, const std::vector<std::uint32_t>& words) {
    const std::size_t at = elf.data.size();
    ByteWriter out;
    for (const std::uint32_t word : words) out.u32(word);
    const Bytes table = out.take();
    elf.data.insert(elf.data.end(), table.begin(), table.end());
    (void)elf.build();
    elf.dynamic = {{6, elf.base + elf.at_data}, {tag, elf.base + elf.at_data + at}};
    return facts_of(elf.build()).imports;
  }
};

TEST(ElfEvidence, ImportsAreUndefinedSymbolsOfTheTable) {
  EXPECT_EQ(WithSymbols().imports(4, {1, 5}), (Names{"dlopen", "getgrnam"}));
}

TEST(ElfEvidence, OnlySymbolsThatTheHashTableCountsAreRead) {
  EXPECT_EQ(WithSymbols().imports(4, {1, 2}), Names{"dlopen"});
  // DT_GNU_HASH: buckets, first, words, shift, Bloom filter, bucket, chain up to an odd value.
  EXPECT_EQ(WithSymbols().imports(0x6ffffef5, {1, 2, 1, 6, 0, 0, 2, 8, 9, 7}), Names{"dlopen"});
  EXPECT_EQ(WithSymbols().imports(0x6ffffef5, {1, 2, 1, 6, 0, 0, 2, 8, 8, 9}),
            (Names{"dlopen", "getgrnam"}));
}

TEST(ElfEvidence, EmptyGnuHashSaysNothingAboutTheCount) {
  EXPECT_EQ(WithSymbols().imports(0x6ffffef5, {1, 1, 1, 0, 0, 0, 0}),
            (Names{"dlopen", "getgrnam"}));
}

TEST(ElfEvidence, TablesOutsideTheFileGiveNoImports) {
  for (const std::uint64_t tag : {4ULL, 6ULL, 0x6ffffef5ULL}) {
    WithSymbols with;
    (void)with.elf.build();
    with.elf.dynamic = {{6, with.elf.base + with.elf.at_data}, {tag, 0xffffffffffff0000ULL}};
    const Names imports = facts_of(with.elf.build()).imports;
    EXPECT_TRUE(tag != 6 || imports.empty());
    for (const std::string& name : imports) EXPECT_TRUE(is_noted_import(name));
  }
}

TEST(ElfEvidence, NotedImportsAreSortedAndUnique) {
  const auto names = noted_imports();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_TRUE(is_noted_import("dlopen"));
  EXPECT_FALSE(is_noted_import("malloc"));
}

TEST(ElfEvidence, TheLocaleThatCodeNames) {
  EXPECT_EQ(strings_of(texts({"C.UTF-8"})), Names{std::string(kUtf8Locale)});
  EXPECT_EQ(strings_of(texts({"x", "C.utf8"})), Names{std::string(kUtf8Locale)});
  EXPECT_TRUE(strings_of(texts({"en_C.UTF-8", "C.UTF-8x", "C.", "C"})).empty());
  EXPECT_TRUE(strings_of(std::string(1, '\0') + "C.UTF-8").empty());
}

TEST(ElfEvidence, StringsArePathsAndLibraryNames) {
  EXPECT_EQ(strings_of(texts({"hello", "/etc/app.conf", "libplug.so.2", "libplain.so", "/usr/lib/x",
                              "plugins/own.so", "/opt/l.so", "mod_x.so"})),
            (Names{"/etc/app.conf", "/opt/l.so", "/usr/lib/x", "libplain.so", "libplug.so.2",
                   "mod_x.so", "plugins/own.so"}));
}

TEST(ElfEvidence, ComputedDirectoryLeavesTheLibrarysName) {
  EXPECT_EQ(strings_of(texts({"%s/libjvm.so", "%slib.so", "lib%d.so"})), Names{"libjvm.so"});
}

TEST(ElfEvidence, WhatLooksSimilarIsNoEvidence) {
  EXPECT_TRUE(strings_of(texts({"/a", "/etc/%s.conf", "/etc/a b", "/build/x/main", "/src/main.c",
                                "/proc/self/exe", "//host/share", "/dev/null", "a.something",
                                "x.sock", "libx.so.old", ".so", "read /etc/app.conf"}))
                  .empty());
  EXPECT_TRUE(strings_of(texts({"/" + std::string(300, 'a')})).empty());
  EXPECT_TRUE(strings_of(std::string(1, '\0') + "/etc/without-end").empty());
}

TEST(ElfEvidence, WhatTheLoaderIsToldIsNotRepeated) {
  ElfBuilder elf;
  elf.interpreter = "/lib64/ld-linux-x86-64.so.2";
  elf.dynamic = {{1, elf.string("libneeded.so.1")},
                 {14, elf.string("libme.so.3")},
                 {29, elf.string("/opt/lib")}};
  EXPECT_TRUE(facts_of(elf.build()).strings.empty());
}

TEST(ElfEvidence, TextWithoutEndsGivesOnlyWellKnownPaths) {
  EXPECT_EQ(strings_of("open/etc/passwdfailed/etc/app.conf/usr/share/zoneinfo/x"),
            (Names{"/etc/passwd", "/usr/share/zoneinfo"}));
  EXPECT_EQ(strings_of(texts({"/etc/passwd-"})), Names{"/etc/passwd-"});
}

TEST(ElfEvidence, WritableDataIsNotSearched) {
  ElfBuilder elf;
  elf.data = to_bytes(texts({"/etc/app.conf"}));
  Bytes file = elf.build();
  poke(file, 64 + 4, 6, 4);  // p_flags of the one PT_LOAD: PF_R | PF_W
  EXPECT_TRUE(facts_of(file).strings.empty());
}

TEST(ElfEvidence, IsBoundedInCountAndBytes) {
  Limits limits;
  limits.elf_evidence = 2;
  EXPECT_EQ(strings_of(texts({"/etc/a", "/etc/b", "/etc/c"}), limits).size(), 2U);
  limits = {};
  limits.elf_evidence_bytes = 13;
  EXPECT_EQ(strings_of(texts({"/etc/a", "/etc/b", "/etc/c"}), limits).size(), 2U);
}

TEST(ElfEvidence, StaticProgramsWithSystemCallsAreMarked) {
  ElfBuilder elf;
  elf.data = to_bytes("\x48\x0f\x05\xc3");
  Bytes file = elf.build();
  EXPECT_FALSE(facts_of(file).raw_syscalls);  // a library
  poke(file, 16, kTypeExec, 2);
  EXPECT_TRUE(facts_of(file).raw_syscalls);

  elf.dynamic = {{0x6ffffffb, 0x08000000}};  // DF_1_PIE
  EXPECT_TRUE(facts_of(elf.build()).raw_syscalls);
  elf.dynamic.emplace_back(1, elf.string("libc.so.6"));
  EXPECT_FALSE(facts_of(elf.build()).raw_syscalls);
}

// A mapped file's pages are given back behind the search, which finds the same.
TEST(Evidence, OfALargeFileIsFoundPieceByPiece) {
  ElfBuilder elf;
  std::string data(10 << 20, 'x');
  data += texts({"/etc/at-the-end.conf", "liblast.so.1"});
  elf.data = to_bytes(data);
  const Bytes file = elf.build();
  std::uint64_t released = 0;
  const auto facts = read_facts(file, Limits(), [&](ByteView part) {
    EXPECT_GE(part.data(), file.data());
    EXPECT_LE(part.data() + part.size(), file.data() + file.size());
    released += part.size();
  });
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(*facts, facts_of(file));
  EXPECT_GE(released, 2 * data.size()) << "it is searched twice";
  EXPECT_FALSE(facts->strings.empty());
}

}  // namespace
}  // namespace cloister::measure::elf
