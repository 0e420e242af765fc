#include "measure/elf/dlopen_note.h"

#include <gtest/gtest.h>

#include "tests/measure/elf/elf_builder.h"

namespace cloister::measure::elf {
namespace {

using Notes = std::vector<DlopenNote>;
using Priority = DlopenNote::Priority;

Notes parsed(std::string_view json) {
  auto notes = parse_dlopen_note(json, Limits());
  if (!notes.has_value()) {
    ADD_FAILURE() << notes.error().what();
    return {};
  }
  return std::move(*notes);
}

// One note, its parts padded to `alignment`.
Bytes note(std::string_view owner, std::uint32_t type, std::string_view description,
           std::size_t alignment = 4) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(owner.size()));
  out.u32(static_cast<std::uint32_t>(description.size()));
  out.u32(type);
  out.text(owner);
  while (out.size() % alignment != 0) out.u8(0);
  out.text(description);
  while (out.size() % alignment != 0) out.u8(0);
  return out.take();
}

constexpr std::string_view kOwner("FDO\0", 4);
constexpr std::uint32_t kType = 0x407c0c0a;

Notes notes_of(const Bytes& file) {
  const auto facts = read_facts(file, Limits());
  if (!facts.has_value()) {
    ADD_FAILURE() << facts.error().what();
    return {};
  }
  return facts->dlopen_notes;
}

TEST(DlopenNote, ReadsAnArrayOfFeatures) {
  EXPECT_EQ(parsed(R"([{"soname":["libz.so.1","libz.so"],"feature":"zip","description":"d",
                        "priority":"suggested"},
                       {"soname":["liba.so.2"],"priority":"required"}])"),
            (Notes{{{"libz.so.1", "libz.so"}, "zip", "d", Priority::suggested},
                   {{"liba.so.2"}, "", "", Priority::required}}));
}

TEST(DlopenNote, ReadsTheOlderSpellings) {
  EXPECT_EQ(parsed(R"({"soname":"libz.so.1"})"),
            (Notes{{{"libz.so.1"}, "", "", Priority::recommended}}));
  EXPECT_EQ(parsed(R"([{"soname":"libz.so.1","priority":"recommended"}])"),
            (Notes{{{"libz.so.1"}, "", "", Priority::recommended}}));
}

TEST(DlopenNote, UnknownPriorityCountsAsRecommended) {
  EXPECT_EQ(parsed(R"({"soname":"a.so","priority":"urgent"})").front().priority,
            Priority::recommended);
}

TEST(DlopenNote, FeatureWithoutNamesIsLeftOut) {
  EXPECT_TRUE(parsed(R"([{"feature":"x"},{"soname":[]},{"soname":""},{"soname":null}])").empty());
}

TEST(DlopenNote, RefusesWhatIsNoNote) {
  for (const char* json : {"", "1", "[1]", "{\"soname\":1}", "{\"soname\":[1]}", "{\"soname\":",
                           "[{\"soname\":\"a\",\"feature\":[]}]", "[[{\"soname\":\"a\"}]]"})
    EXPECT_FALSE(parse_dlopen_note(json, Limits()).has_value()) << json;
}

TEST(DlopenNote, IsFoundByTypeAndOwnerAmongOthers) {
  ElfBuilder elf;
  for (const Bytes& bytes :
       {note("GNU\0", 3, "buildid"), note(kOwner, 7, R"({"soname":"other.so"})"),
        note("XYZ\0", kType, R"({"soname":"foreign.so"})"), note(kOwner, kType, "damaged"),
        note(kOwner, kType, std::string_view("{\"soname\":\"libz.so.1\"}\0", 23))})
    elf.notes.insert(elf.notes.end(), bytes.begin(), bytes.end());
  EXPECT_EQ(notes_of(elf.build()), (Notes{{{"libz.so.1"}, "", "", Priority::recommended}}));
}

TEST(DlopenNote, IsFoundInASectionWhenNoSegmentHasIt) {
  ElfBuilder elf;
  Bytes file = elf.build();
  const Bytes content = note(kOwner, kType, R"([{"soname":"libz.so.1"}])");
  const std::string_view names("\0.note.dlopen\0", 14);
  const std::uint64_t at_note = file.size(), at_names = at_note + content.size(),
                      at_table = at_names + names.size();
  ByteWriter tail;
  tail.bytes(content);
  tail.text(names);
  const auto section = [&](std::uint32_t name, std::uint32_t type, std::uint64_t offset,
                           std::uint64_t size) {
    tail.u32(name);
    tail.u32(type);
    tail.zeros(16);
    tail.u64(offset);
    tail.u64(size);
    tail.zeros(24);
  };
  section(0, 0, 0, 0);
  section(1, 7, at_note, content.size());
  section(0, 3, at_names, names.size());
  const Bytes rest = tail.take();
  file.insert(file.end(), rest.begin(), rest.end());
  poke(file, 40, at_table, 8);
  poke(file, 58, 64, 2);
  poke(file, 60, 3, 2);
  poke(file, 62, 2, 2);
  EXPECT_EQ(notes_of(file), (Notes{{{"libz.so.1"}, "", "", Priority::recommended}}));
  // Section headers that lie: nothing is found, and nothing breaks.
  for (const std::size_t field : {std::size_t{40}, std::size_t{60}, std::size_t{62}}) {
    Bytes bad = file;
    poke(bad, field, 0xffff, 2);
    EXPECT_TRUE(notes_of(bad).empty()) << field;
  }
}

TEST(DlopenNote, SizesThatLeadOutsideEndTheSearch) {
  for (const std::size_t field : {0, 4}) {
    ElfBuilder elf;
    elf.notes = note(kOwner, kType, R"({"soname":"libz.so.1"})");
    poke(elf.notes, field, 0xfffffff0, 4);
    EXPECT_TRUE(notes_of(elf.build()).empty()) << field;
  }
}

}  // namespace
}  // namespace cloister::measure::elf
