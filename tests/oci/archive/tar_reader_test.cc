#include "oci/archive/tar_reader.h"

#include <gtest/gtest.h>

#include <clocale>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/source_dir.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::oci {
namespace {

using testing::TarBuilder;

struct Member {
  TarEntry entry;
  std::string content;
};

Result<std::vector<Member>> read_tar(std::string_view bytes, const Limits& limits = {}) {
  MemorySource source(as_bytes(bytes));
  CL_TRY(const auto tar, open_tar(source, limits));
  std::vector<Member> out;
  for (;;) {
    CL_TRY(const TarEntry* entry, tar->next());
    if (entry == nullptr) return out;
    Member& member = out.emplace_back(Member{*entry, {}});
    if (entry->type != FileType::regular) continue;
    CL_CHECK(tar->content([&](ByteView piece) -> Status {
      member.content += as_text(piece);
      return {};
    }));
  }
}

std::vector<Member> must_read(std::string_view bytes) {
  auto members = read_tar(bytes);
  if (members.has_value()) return std::move(*members);
  ADD_FAILURE() << members.error().what();
  return {};
}

std::optional<Code> failure(std::string_view bytes, const Limits& limits = {}) {
  auto members = read_tar(bytes, limits);
  if (members.has_value()) return std::nullopt;
  return members.error().code();
}

std::string fixture(const std::string& name) {
  auto text = read_text_file(source_dir() / "testdata/layers" / name, 1 << 20);
  EXPECT_TRUE(text.has_value()) << name;
  return text.has_value() ? *text : std::string();
}

const Member* find(const std::vector<Member>& members, std::string_view path) {
  for (const Member& m : members)
    if (m.entry.path == path) return &m;
  return nullptr;
}

TEST(TarReader, GivesEveryKindOfMember) {
  const auto members =
      must_read(TarBuilder()
                    .dir("d/", 01777)
                    .add({.name = "d/suid",
                          .content = "hello",
                          .mode = 04755,
                          .uid = 1000,
                          .gid = 50,
                          .mtime = 1700000000})
                    .symlink("d/link", "../else where")
                    .hardlink("d/hard", "d/suid")
                    .add({.name = "null", .type = '3', .dev_major = 1, .dev_minor = 3})
                    .add({.name = "sda", .type = '4', .dev_major = 8})
                    .add({.name = "pipe", .type = '6'})
                    .str());
  ASSERT_EQ(members.size(), 7U);
  EXPECT_EQ(members[0].entry.path, "d/");
  EXPECT_EQ(members[0].entry.type, FileType::directory);
  EXPECT_EQ(members[0].entry.mode, 01777U);
  EXPECT_EQ(members[1].entry.type, FileType::regular);
  EXPECT_EQ(members[1].entry.mode, 04755U);
  EXPECT_EQ(members[1].entry.uid, 1000U);
  EXPECT_EQ(members[1].entry.gid, 50U);
  EXPECT_EQ(members[1].entry.mtime, 1700000000);
  EXPECT_EQ(members[1].entry.size, 5U);
  EXPECT_EQ(members[1].content, "hello");
  EXPECT_EQ(members[2].entry.type, FileType::symlink);
  EXPECT_EQ(members[2].entry.link_target, "../else where");
  EXPECT_EQ(members[3].entry.type, FileType::hardlink);
  EXPECT_EQ(members[3].entry.link_target, "d/suid");
  EXPECT_EQ(members[4].entry.type, FileType::char_device);
  EXPECT_EQ(members[4].entry.device_major, 1U);
  EXPECT_EQ(members[4].entry.device_minor, 3U);
  EXPECT_EQ(members[5].entry.type, FileType::block_device);
  EXPECT_EQ(members[5].entry.device_major, 8U);
  EXPECT_EQ(members[6].entry.type, FileType::fifo);
}

// Both locales of the test machine: the reader must not care.
class TarReaderInLocale : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::setlocale(LC_ALL, GetParam()) == nullptr) GTEST_SKIP() << "no locale " << GetParam();
  }
  void TearDown() override { std::setlocale(LC_ALL, "C"); }
};

const std::string kLong = std::string(120, 'd') + "/" + std::string(140, 'f');
const std::string kLatin1 = "latin1-\xe9\xff";
const std::string kNfd = "nfd-e\xcc\x81";

TEST_P(TarReaderInLocale, KeepsNamesOfGnuTarAsBytes) {
  for (const char* name : {"gnu-gnu.tar", "gnu-posix.tar"}) {
    SCOPED_TRACE(name);
    const auto members = must_read(fixture(name));
    for (const std::string& path : {kLong, kLatin1, kNfd}) {
      const Member* m = find(members, "names/" + path);
      ASSERT_NE(m, nullptr) << printable(path);
      EXPECT_EQ(m->content, path);
    }
    EXPECT_NE(find(members, "names/new\nline"), nullptr);
    ASSERT_NE(find(members, "names/link"), nullptr);
    EXPECT_EQ(find(members, "names/link")->entry.link_target, std::string(130, 't') + "\xff");
    ASSERT_NE(find(members, "names/z-hard"), nullptr);
    EXPECT_EQ(find(members, "names/z-hard")->entry.type, FileType::hardlink);
    EXPECT_EQ(find(members, "names/z-hard")->entry.link_target, "names/" + kLong);
  }
  const auto members = must_read(fixture("gnu-ustar.tar"));
  EXPECT_NE(find(members, "names/" + kLatin1), nullptr);
  EXPECT_NE(find(members, "names/" + kNfd), nullptr);
}

TEST_P(TarReaderInLocale, KeepsNamesOfPythonAsBytes) {
  for (const char* name : {"python-pax.tar", "python-gnu.tar"}) {
    SCOPED_TRACE(name);
    const auto members = must_read(fixture(name));
    for (const std::string& path : {kLong, kLatin1, kNfd}) {
      ASSERT_NE(find(members, path), nullptr) << printable(path);
      EXPECT_EQ(find(members, path)->content, path);
    }
    EXPECT_EQ(find(members, "link")->entry.link_target, std::string(130, 't') + "\xff");
    EXPECT_EQ(find(members, "z-hard")->entry.link_target, kLatin1);
  }
}

// Go's archive/tar puts bytes that are not UTF-8 into PAX records without hdrcharset.
TEST_P(TarReaderInLocale, KeepsBytesInPaxRecordsWithoutHdrcharset) {
  const std::string path = "p\xff\xfe/" + kNfd, target = "t\xc3\x28/" + kNfd;
  const auto members = must_read(
      TarBuilder()
          .add({.name = "x", .type = 'x', .content = TarBuilder::record("path", path)})
          .file("p__", "1")
          .add({.name = "x",
                .type = 'x',
                .content = TarBuilder::record("path", "l" + path) +
                           TarBuilder::record("linkpath", target)})
          .symlink("l__", "t__")
          .add({.name = "x", .type = 'x', .content = TarBuilder::record("linkpath", path)})
          .hardlink("h", "p__")
          .str());
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].entry.path, path);
  EXPECT_EQ(members[1].entry.path, "l" + path);
  EXPECT_EQ(members[1].entry.link_target, target);
  EXPECT_EQ(members[2].entry.type, FileType::hardlink);
  EXPECT_EQ(members[2].entry.link_target, path);
}

INSTANTIATE_TEST_SUITE_P(Locales, TarReaderInLocale, ::testing::Values("C", "C.UTF-8"),
                         [](const auto& p) { return p.index == 0 ? "C" : "Utf8"; });

TEST(TarReader, LeavesTheLocaleOfTheThreadAlone) {
  const locale_t before = uselocale(nullptr);
  must_read(fixture("gnu-posix.tar"));
  EXPECT_EQ(uselocale(nullptr), before);
}

TEST(TarReader, ReadsUstarPrefixes) {
  const auto members = must_read(TarBuilder().add({.name = "name", .prefix = "some/prefix"}).str());
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].entry.path, "some/prefix/name");
}

TEST(TarReader, ReadsOwnersAndAttributesOfPax) {
  const auto members = must_read(fixture("python-pax.tar"));
  ASSERT_NE(find(members, "owner"), nullptr);
  EXPECT_EQ(find(members, "owner")->entry.uid, 3000000000U);
  EXPECT_EQ(find(members, "owner")->entry.mode, 04755U);
  EXPECT_EQ(find(members, "null")->entry.device_minor, 3U);
  const auto& xattrs = find(members, "caps")->entry.xattrs;
  ASSERT_EQ(xattrs.size(), 1U);
  EXPECT_EQ(xattrs[0].first, "security.capability");
  EXPECT_EQ(xattrs[0].second, std::string("\x01\x00\x00\x02\x00", 5));
}

TEST(TarReader, GivesAnAttributeInTwoEncodingsOnce) {
  const std::string records = TarBuilder::record("SCHILY.xattr.user.b", "two") +
                              TarBuilder::record("LIBARCHIVE.xattr.user.a", "b25l") +
                              TarBuilder::record("SCHILY.xattr.user.a", "one");
  const auto members =
      must_read(TarBuilder().add({.name = "x", .type = 'x', .content = records}).file("f").str());
  ASSERT_EQ(members.size(), 1U);
  using Xattrs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(members[0].entry.xattrs, (Xattrs{{"user.a", "one"}, {"user.b", "two"}}));
}

TEST(TarReader, ReadsTheSizeOfPax) {
  const std::string content(700, 'c');
  const auto members = must_read(TarBuilder()
                                     .pax("size", "700")
                                     .add({.name = "big", .content = content, .size = 0})
                                     .file("next", "n")
                                     .str());
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].entry.size, 700U);
  EXPECT_EQ(members[0].content, content);
  EXPECT_EQ(members[1].content, "n");
}

TEST(TarReader, FillsHolesOfSparseFilesWithZeros) {
  std::string want(300000, '\0');
  want.replace(0, 4, "head");
  for (std::size_t i = 0; i < 100; ++i) want.replace(65536 + 6 * i, 6, "middle");
  want.replace(299996, 4, "tail");
  for (const char* kind : {"old", "0.0", "0.1", "1.0"}) {
    SCOPED_TRACE(kind);
    const auto members = must_read(fixture(cat("gnu-sparse-", kind, ".tar")));
    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].entry.path, "sparse");
    EXPECT_EQ(members[0].entry.size, want.size());
    EXPECT_TRUE(members[0].content == want);
  }
}

TEST(TarReader, LimitsTheZerosOfSparseFiles) {
  Limits limits;
  limits.sparse_bytes = 200000;
  EXPECT_EQ(failure(fixture("gnu-sparse-1.0.tar"), limits), Code::limit);
}

std::string sparse_map(std::string_view map, std::string_view size) {
  return TarBuilder()
      .add({.name = "x",
            .type = 'x',
            .content = TarBuilder::record("GNU.sparse.size", size) +
                       TarBuilder::record("GNU.sparse.map", map)})
      .file("s", "0123456789")
      .str();
}

TEST(TarReader, RefusesSparseMapsThatLie) {
  EXPECT_EQ(must_read(sparse_map("0,5,20,5", "30"))[0].content.size(), 30U);
  EXPECT_EQ(failure(sparse_map("20,5,0,5", "30")), Code::corrupt);  // backwards
  EXPECT_EQ(failure(sparse_map("0,5,2,5", "30")), Code::corrupt);   // overlapping
  EXPECT_EQ(failure(sparse_map("0,5,28,5", "30")), Code::corrupt);  // beyond the end
  EXPECT_EQ(failure(sparse_map("0,5,9223372036854775806,5", "30")), Code::corrupt);
}

TEST(TarReader, TakesNothingAndZerosForAnEmptyLayer) {
  EXPECT_TRUE(must_read("").empty());
  EXPECT_TRUE(must_read(std::string(512, '\0')).empty());
  EXPECT_TRUE(must_read(std::string(1024, '\0')).empty());
  EXPECT_TRUE(must_read(std::string(10240, '\0')).empty());
}

TEST(TarReader, AcceptsAMissingEndMark) {
  const std::string tar = TarBuilder().file("a", "content").unfinished();
  EXPECT_EQ(must_read(tar).size(), 1U);
  EXPECT_EQ(must_read(tar + std::string(512, '\0')).size(), 1U);
}

TEST(TarReader, RefusesEveryOtherTruncation) {
  const std::string tar = TarBuilder()
                              .pax("path", std::string(600, 'p'))
                              .file("a", std::string(1500, 'c'))
                              .unfinished();
  ASSERT_EQ(must_read(tar).size(), 1U);
  for (std::size_t size = 1; size < tar.size(); size += 7)
    EXPECT_EQ(failure(tar.substr(0, size)), Code::corrupt) << size;
  EXPECT_EQ(failure(tar.substr(0, tar.size() - 1)), Code::corrupt);
}

TEST(TarReader, RefusesAWrongCheckSum) {
  std::string tar = TarBuilder().file("a", "1").file("b", "2").str();
  for (const std::size_t at : {std::size_t{5}, std::size_t{1024 + 130}}) {
    std::string damaged = tar;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_EQ(failure(damaged), Code::corrupt) << at;
  }
  EXPECT_EQ(failure(std::string(4096, 'x')), Code::corrupt);
}

TEST(TarReader, RefusesMalformedPaxRecords) {
  for (const char* body : {"99 path=a\n", "x path=a\n", "9 path=abc", "6 path\n"}) {
    const std::string tar =
        TarBuilder().add({.name = "x", .type = 'x', .content = body}).file("f").str();
    EXPECT_EQ(failure(tar), Code::corrupt) << body;
  }
}

TEST(TarReader, RefusesAHardLinkWithContent) {
  const std::string tar = TarBuilder()
                              .pax("comment", "this is PAX")
                              .file("a", "1")
                              .add({.name = "h", .type = '1', .content = "body", .link = "a"})
                              .str();
  EXPECT_EQ(failure(tar), Code::unsupported);
}

TEST(TarReader, RefusesNamelessMembersAndTargets) {
  EXPECT_EQ(failure(TarBuilder().file("").str()), Code::corrupt);
  EXPECT_EQ(failure(TarBuilder().symlink("l", "").str()), Code::corrupt);
  EXPECT_TRUE(failure(TarBuilder().hardlink("l", "").str()).has_value());
}

TEST(TarReader, HoldsToItsLimits) {
  Limits limits;
  limits.path_bytes = 200;
  const std::string edge(200, 'p'), beyond(201, 'p');
  EXPECT_FALSE(failure(TarBuilder().gnu_long('L', edge).file("x").str(), limits).has_value());
  EXPECT_EQ(failure(TarBuilder().gnu_long('L', beyond).file("x").str(), limits), Code::limit);
  EXPECT_EQ(failure(TarBuilder().pax("path", beyond).file("x").str(), limits), Code::limit);
  EXPECT_EQ(failure(TarBuilder().gnu_long('K', beyond).symlink("x", "y").str(), limits),
            Code::limit);
  limits.xattr_bytes = 100;
  EXPECT_EQ(failure(TarBuilder().pax("SCHILY.xattr.user.a", std::string(100, 'v')).file("x").str(),
                    limits),
            Code::limit);
}

TEST(TarReader, RefusesOwnersBeyond32Bits) {
  EXPECT_EQ(failure(TarBuilder().pax("uid", "4294967296").file("x").str()), Code::corrupt);
  EXPECT_EQ(must_read(TarBuilder().pax("uid", "4294967295").file("x").str())[0].entry.uid,
            4294967295U);
}

class FailingSource final : public Source {
 public:
  explicit FailingSource(std::string_view bytes) : bytes_(as_bytes(bytes)) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    CL_TRY(const std::size_t n, bytes_.read(out.first(std::min<std::size_t>(out.size(), 512))));
    if (n == 0) return Error::unavailable("the line went dead");
    return n;
  }

 private:
  MemorySource bytes_;
};

TEST(TarReader, PassesTheStreamsOwnErrorOn) {
  const std::string tar = TarBuilder().file("a", std::string(3000, 'c')).unfinished();
  for (const std::size_t size : {std::size_t{0}, std::size_t{512}, std::size_t{1024}, tar.size()}) {
    FailingSource source(std::string_view(tar).substr(0, size));
    auto reader = open_tar(source, {});
    Status status;
    while (reader.has_value()) {
      auto entry = (*reader)->next();
      if (entry.has_value() && *entry != nullptr)
        status = (*reader)->content([](ByteView) -> Status { return {}; });
      else if (!entry.has_value())
        status = std::move(entry).error();
      else
        FAIL() << "the end was believed after " << size << " bytes";
      if (!status.has_value()) break;
    }
    const Error& error = reader.has_value() ? status.error() : reader.error();
    EXPECT_EQ(error.code(), Code::unavailable) << size;
  }
}

TEST(TarReader, SkipsContentThatIsNotRead) {
  const std::string tar = TarBuilder().file("a", std::string(5000, 'a')).file("b", "b").str();
  MemorySource source(as_bytes(tar));
  auto reader = open_tar(source, {});
  ASSERT_TRUE(reader.has_value());
  ASSERT_TRUE((*reader)->next().has_value());
  auto second = (*reader)->next();
  ASSERT_TRUE(second.has_value() && *second != nullptr);
  EXPECT_EQ((*second)->path, "b");
}

}  // namespace
}  // namespace cloister::oci
