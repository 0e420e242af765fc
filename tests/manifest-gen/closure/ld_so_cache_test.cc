#include "manifest-gen/closure/ld_so_cache.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::manifest {
namespace {

struct Row {
  std::string key, value;
  std::uint32_t flags = 0x0303;
  std::uint64_t hwcap = 0;
};

constexpr std::uint64_t kHwcaps = 1ULL << 62;

// As ldconfig writes it, in the new format.
Bytes cache(const std::vector<Row>& rows, const std::vector<std::string>& hwcaps = {},
            std::uint8_t order = 2) {
  std::string strings;
  const std::uint64_t at_strings = 48 + 24 * rows.size();
  const auto text = [&](const std::string& value) {
    const std::uint64_t at = at_strings + strings.size();
    strings += value;
    strings += '\0';
    return static_cast<std::uint32_t>(at);
  };
  ByteWriter entries, names;
  for (const Row& row : rows) {
    entries.u32(row.flags);
    entries.u32(text(row.key));
    entries.u32(text(row.value));
    entries.u32(0);
    entries.u64(row.hwcap);
  }
  for (const std::string& name : hwcaps) names.u32(text(name));
  while (strings.size() % 4 != 0) strings += '\0';
  const std::uint32_t extensions = static_cast<std::uint32_t>(at_strings + strings.size());
  ByteWriter out;
  out.text("glibc-ld.so.cache1.1");
  out.u32(static_cast<std::uint32_t>(rows.size()));
  out.u32(static_cast<std::uint32_t>(strings.size()));
  out.u8(order);
  out.zeros(3);
  out.u32(hwcaps.empty() ? 0 : extensions);
  out.zeros(12);
  out.bytes(entries.view());
  out.text(strings);
  if (!hwcaps.empty()) {
    for (const std::uint32_t word : {0xeaa42174U, 1U, 1U, 0U, extensions + 24}) out.u32(word);
    out.u32(static_cast<std::uint32_t>(names.size()));
    out.bytes(names.view());
  }
  return out.take();
}

std::vector<std::string> found(const LdSoCache& cache, std::string_view name) {
  std::vector<std::string> out;
  for (const LdSoCache::Entry& entry : cache.find(name))
    out.push_back(entry.hwcaps.empty() ? std::string(entry.path)
                                       : cat(entry.hwcaps, "=", entry.path));
  return out;
}
using Found = std::vector<std::string>;

TEST(LdSoCache, EntriesForThisMachineInTheFilesOrder) {
  const auto parsed = LdSoCache::parse(cache({{"libb.so.1", "/lib/libb.so.1"},
                                              {"liba.so.1", "/opt/liba.so.1"},
                                              {"liba.so.1", "/lib/liba.so.1"},
                                              {"liba.so.1", "/lib32/liba.so.1", 0x0003},
                                              {"libc.so.1", "relative"}}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(found(*parsed, "liba.so.1"), (Found{"/opt/liba.so.1", "/lib/liba.so.1"}));
  EXPECT_EQ(found(*parsed, "libb.so.1"), Found{"/lib/libb.so.1"});
  EXPECT_TRUE(found(*parsed, "libc.so.1").empty());
  EXPECT_TRUE(found(*parsed, "libgone.so").empty());
}

TEST(LdSoCache, HwcapsAreNamedByTheExtension) {
  const auto parsed = LdSoCache::parse(cache({{"a", "/v3/a", 0x0303, kHwcaps | (3ULL << 32) | 1},
                                              {"a", "/v2/a", 0x0303, kHwcaps},
                                              {"a", "/unknown/a", 0x0303, kHwcaps | 2},
                                              {"a", "/tls/a", 0x0303, 1ULL << 63},
                                              {"a", "/a"}},
                                             {"x86-64-v2", "x86-64-v3"}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(found(*parsed, "a"), (Found{"x86-64-v3=/v3/a", "x86-64-v2=/v2/a", "/a"}));
}

TEST(LdSoCache, NewFormatBehindTheOld) {
  ByteWriter out;
  out.text("ld.so-1.7.0");
  out.u8(0);
  out.u32(1);
  for (const std::uint32_t word : {3U, 0U, 0U}) out.u32(word);
  out.zeros(4);  // to a multiple of 8
  out.bytes(cache({{"liba.so", "/lib/liba.so"}}));
  const auto parsed = LdSoCache::parse(out.take());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(found(*parsed, "liba.so"), Found{"/lib/liba.so"});
}

TEST(LdSoCache, WhatALoaderWouldNotUse) {
  for (const std::string_view text : {"", "ld.so-1.7.0", "ld.so-1.7.0:\377\377\377\377xxxxxxxxxxxx",
                                      "glibc-ld.so.cache1.0", "glibc-ld.so.cache1.1"})
    EXPECT_FALSE(LdSoCache::parse(to_bytes(text)));
  EXPECT_FALSE(LdSoCache::parse(cache({{"a", "/a"}}, {}, 3)));
  EXPECT_TRUE(LdSoCache::parse(cache({{"a", "/a"}}, {}, 0)));
  Bytes many = cache({{"a", "/a"}});
  many[20] = std::byte{200};
  EXPECT_FALSE(LdSoCache::parse(many));
}

// Each byte in turn takes three other values: nothing leads outside.
TEST(LdSoCache, DamageIsSurvived) {
  const Bytes whole = cache({{"a", "/a", 0x0303, kHwcaps}, {"b", "/b"}}, {"x86-64-v3"});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned value : {0U, 0x7fU, 0xffU}) {
      Bytes damaged = whole;
      damaged[i] = static_cast<std::byte>(value);
      const auto parsed = LdSoCache::parse(std::move(damaged));
      EXPECT_LE(parsed ? parsed->size() : 0, 2u);
    }
    const auto cut = LdSoCache::parse(Bytes(whole.begin(), whole.begin() + static_cast<long>(i)));
    EXPECT_LE(cut ? cut->find("a").size() + cut->find("b").size() : 0, 2u);
  }
}

}  // namespace
}  // namespace cloister::manifest
