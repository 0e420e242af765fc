#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/text.h"
#include "measure/index/member_path.h"
#include "tests/base/gzip.h"
#include "tests/measure/index/index_tar.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::measure {
namespace {

using testing::index_tar;
using testing::TarBuilder;

Result<LayerIndex> index_gzip(std::string_view blob, const Limits& limits = {},
                              const std::optional<Digest>& want = {}, CancelToken cancel = {}) {
  MemorySource source(as_bytes(blob));
  return index_layer(source, Compression::gzip, want, limits, cancel);
}

LayerIndex must_index(std::string_view tar) {
  auto index = index_tar(tar);
  if (index.has_value()) return std::move(*index);
  ADD_FAILURE() << index.error().what();
  return {};
}

std::optional<Code> failure(const Result<LayerIndex>& index) {
  if (index.has_value()) return std::nullopt;
  return index.error().code();
}

// Text that neither repeats block for block nor compresses to nothing.
std::string noise(std::size_t size, unsigned seed = 1) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>('a' + (seed = seed * 1103515245 + 12345) / 65536 % 23);
  return out;
}

// The smallest ELF64 file: a header and nothing else.
std::string tiny_elf(std::size_t size = 64) {
  std::string elf(std::max<std::size_t>(size, 64), '\0');
  elf.replace(0, 7, "\177ELF\2\1\1");
  elf[16] = 3;   // ET_DYN
  elf[18] = 62;  // x86-64
  elf[20] = 1;
  elf[52] = 64;
  elf[54] = 56;
  return elf;
}

TEST(IndexLayer, DigestsTarAndFiles) {
  const std::string big = noise(3'000'000);
  const std::string tar = TarBuilder().dir("./").file("./a", "hello").file("big", big).str();
  const LayerIndex index = must_index(tar);
  EXPECT_EQ(index.diff_id, sha256(tar));
  EXPECT_EQ(index.tar_bytes, tar.size());
  ASSERT_EQ(index.entries.size(), 3U);
  EXPECT_EQ(index.entries[0].path, "");
  EXPECT_EQ(index.entries[1].path, "a");
  EXPECT_EQ(index.entries[1].sha256, sha256("hello"));
  EXPECT_EQ(index.entries[2].sha256, sha256(big));
  EXPECT_EQ(index.entries[2].size, big.size());
}

TEST(IndexLayer, DigestsThePaddingAfterTheEnd) {
  const std::string tar = TarBuilder().file("a", "1").str() + std::string(1 << 20, '\0') + "tail";
  const LayerIndex index = must_index(tar);
  EXPECT_EQ(index.diff_id, sha256(tar));
  EXPECT_EQ(index.tar_bytes, tar.size());
}

TEST(IndexLayer, TakesAnEmptyLayer) {
  const LayerIndex index = must_index(std::string(1024, '\0'));
  EXPECT_TRUE(index.entries.empty());
  EXPECT_EQ(index.diff_id, sha256(std::string(1024, '\0')));
  EXPECT_TRUE(must_index("").entries.empty());
}

TEST(IndexLayer, ReadsGzip) {
  const std::string tar = TarBuilder().file("a", noise(1 << 20)).str();
  const auto index = index_gzip(gzip_text(tar), {}, sha256(tar));
  ASSERT_TRUE(index.has_value()) << index.error().what();
  EXPECT_EQ(index->diff_id, sha256(tar));
}

// eStargz: a gzip member per file, a table of contents as the last file, and a footer, an empty
// member whose extra field says where the table begins (stargz-snapshotter, docs/estargz.md).
TEST(IndexLayer, ReadsEstargzAsAnOrdinaryLayer) {
  const std::string tar = TarBuilder()
                              .file(".prefetch.landmark", "\xf")
                              .file("a", noise(100000))
                              .file("stargz.index.json", R"({"version":1,"entries":[]})")
                              .str();
  std::string blob;
  for (std::size_t at = 0; at < tar.size(); at += 40000)
    blob += gzip_text(std::string_view(tar).substr(at, 40000));
  const std::string extra = "SG" + std::string("\x16\0", 2) + "00000000000186a0STARGZ";
  blob += std::string("\x1f\x8b\x08\x04\0\0\0\0\0\xff", 10) + std::string("\x1a\0", 2) + extra +
          std::string("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
  const auto index = index_gzip(blob, {}, sha256(tar));
  ASSERT_TRUE(index.has_value()) << index.error().what();
  ASSERT_EQ(index->entries.size(), 3U);
  EXPECT_EQ(index->entries[1].sha256, sha256(noise(100000)));
}

// zstd:chunked: a frame per chunk, and manifest and footer in skippable frames at the end
// (containers/storage, docs/containers-storage-zstd-chunked.md).
TEST(IndexLayer, ReadsZstdChunkedAsAnOrdinaryLayer) {
  const std::string tar = TarBuilder().file("a", noise(100000)).file("b", noise(5000, 2)).str();
  std::string blob;
  const auto frame = [](std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
  };
  const auto skippable = [](std::string_view text) {
    std::string head("\x50\x2a\x4d\x18", 4);
    for (unsigned shift = 0; shift < 32; shift += 8)
      head += static_cast<char>(text.size() >> shift & 0xff);
    return head + std::string(text);
  };
  for (std::size_t at = 0; at < tar.size(); at += 30000)
    blob += frame(std::string_view(tar).substr(at, 30000));
  blob += skippable(frame(R"({"version":1,"entries":[]})")) + skippable(std::string(64, 'G'));
  MemorySource source(as_bytes(blob));
  const auto index = index_layer(source, Compression::zstd, sha256(tar), {}, {});
  ASSERT_TRUE(index.has_value()) << index.error().what();
  EXPECT_EQ(index->entries.size(), 2U);
}

// Sizes and PAX records that promise more than any memory holds.
TEST(IndexLayer, BelievesNoAnnouncedSize) {
  for (const char type : {'0', 'x', 'g', 'L', 'K'}) {
    const std::string tar =
        TarBuilder().add({.name = "n", .type = type, .size = 0x7fffffffL}).file("f", "x").str();
    EXPECT_TRUE(failure(index_tar(tar)).has_value()) << type;
  }
  for (const std::string size : {"-1", "18446744073709551615", "9223372036854775807", ""})
    EXPECT_TRUE(failure(index_tar(TarBuilder().pax("size", size).file("f", "x").str())).has_value())
        << size;
  EXPECT_TRUE(
      failure(index_tar(TarBuilder().pax("path", std::string(2 << 20, 'p')).file("f").str()))
          .has_value());
}

TEST(IndexLayer, RefusesAWrongDiffId) {
  const std::string tar = TarBuilder().file("a").str();
  const auto index = index_gzip(gzip_text(tar), {}, sha256("another tar"));
  EXPECT_EQ(failure(index), Code::corrupt);
  EXPECT_FALSE(index.error().hint().empty());
}

TEST(IndexLayer, RefusesDamage) {
  const std::string tar = TarBuilder().file("a", noise(600'000)).str();
  const std::string blob = gzip_text(tar);
  EXPECT_EQ(failure(index_gzip(blob.substr(0, blob.size() / 2))), Code::corrupt);
  EXPECT_EQ(failure(index_gzip(blob.substr(0, blob.size() - 3))), Code::corrupt);
  std::string flipped = blob;
  flipped[blob.size() / 2] = static_cast<char>(flipped[blob.size() / 2] ^ 0x10);
  EXPECT_EQ(failure(index_gzip(flipped)), Code::corrupt);
  EXPECT_EQ(failure(index_gzip(tar)), Code::corrupt);  // not gzip at all
  EXPECT_EQ(failure(index_tar(tar.substr(0, 300'000))), Code::corrupt);
  EXPECT_EQ(failure(index_gzip(gzip_text(tar.substr(0, 300'000)))), Code::corrupt);
}

TEST(IndexLayer, NormalisesNames) {
  const LayerIndex index = must_index(TarBuilder()
                                          .dir("./a//b/")
                                          .file("/abs", "2")
                                          .file("x/../y", "3")
                                          .hardlink("./h", "/./a//b")
                                          .symlink("s", "./as//it/../is/")
                                          .str());
  std::vector<std::string> paths;
  for (const Entry& e : index.entries) paths.push_back(e.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"a/b", "abs", "y", "h", "s"}));
  EXPECT_EQ(index.entries[3].link_target, "a/b");
  EXPECT_EQ(index.entries[4].link_target, "./as//it/../is/");
}

TEST(IndexLayer, RefusesNamesThatLeadOutside) {
  EXPECT_EQ(failure(index_tar(TarBuilder().file("../x").str())), Code::corrupt);
  EXPECT_EQ(failure(index_tar(TarBuilder().file("a/../../x").str())), Code::corrupt);
  EXPECT_EQ(failure(index_tar(TarBuilder().file("/..").str())), Code::corrupt);
  EXPECT_EQ(failure(index_tar(TarBuilder().hardlink("h", "../etc/passwd").str())), Code::corrupt);
  EXPECT_EQ(failure(index_tar(TarBuilder().file("./").add({.name = "/"}).symlink(".", "x").str())),
            Code::corrupt);  // the root as a link
}

TEST(MemberPath, HoldsToItsLimits) {
  Limits limits;
  limits.path_depth = 3;
  EXPECT_EQ(*normalize_member("a/b/c", limits), "a/b/c");
  EXPECT_EQ(normalize_member("a/b/c/d", limits).error().code(), Code::limit);
  EXPECT_EQ(*normalize_member("a/b/c/../d", limits), "a/b/d");
  EXPECT_TRUE(normalize_member(std::string(255, 'n'), {}).has_value());
  EXPECT_EQ(normalize_member(std::string(256, 'n'), {}).error().code(), Code::limit);
  EXPECT_TRUE(normalize_member(".wh." + std::string(255, 'n'), {}).has_value());
  EXPECT_EQ(normalize_member(".wh." + std::string(256, 'n'), {}).error().code(), Code::limit);
  std::string deep;
  while (deep.size() < 4095) deep += "d/";
  EXPECT_EQ(normalize_member(deep, {}).error().code(), Code::limit);
  EXPECT_EQ(normalize_member(std::string(4097, '/'), {}).error().code(), Code::limit);
}

TEST(IndexLayer, HoldsToItsLimits) {
  const std::string zeros = gzip_text(TarBuilder().file("zeros", std::string(8 << 20, '\0')).str());
  Limits limits;
  limits.layer_ratio_free = 1 << 20;
  limits.layer_ratio = 500;
  EXPECT_EQ(failure(index_gzip(zeros, limits)), Code::limit);
  limits.layer_ratio = 1100;
  EXPECT_FALSE(failure(index_gzip(zeros, limits)).has_value());
  limits.layer_bytes = 8 << 20;
  EXPECT_EQ(failure(index_gzip(zeros, limits)), Code::limit);
  limits = {};
  limits.layer_entries = 2;
  EXPECT_FALSE(failure(index_tar(TarBuilder().file("a").file("b").str(), limits)).has_value());
  EXPECT_EQ(failure(index_tar(TarBuilder().file("a").file("b").file("c").str(), limits)),
            Code::limit);
}

TEST(IndexLayer, StopsWhenCancelled) {
  const std::string tar = TarBuilder().file("a", noise(5'000'000)).str();
  const std::atomic<bool> yes{true};
  EXPECT_EQ(failure(index_gzip(gzip_text(tar), {}, {}, CancelToken(&yes))), Code::cancelled);
}

// The pipeline's threads must end wherever the reader stops: at the first entry, with blocks of the
// ring full and the blob hardly begun.
TEST(IndexLayer, EndsItsThreadsAfterAnEarlyError) {
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(failure(index_tar(TarBuilder().file("../x", noise(6'000'000)).str())), Code::corrupt);
}

TEST(IndexLayer, FindsShebangs) {
  const std::string spaces(400, ' ');
  const LayerIndex index = must_index(TarBuilder()
                                          .file("plain", "#!/bin/sh\necho", 0755)
                                          .file("args", "#! /usr/bin/env  python3 -s \r\n", 0755)
                                          .file("unended", "#!/bin/sh", 0755)
                                          .file("long", "#!" + std::string(300, 'x') + "\n")
                                          .file("spaces", "#!" + spaces + "/bin/sh\n")
                                          .file("nul", std::string("#!/bin/a\0b\n", 11))
                                          .file("none", "#/bin/sh\n")
                                          .file("empty", "#!")
                                          .file("short", "#")
                                          .str());
  std::vector<std::string> found;
  for (const Entry& e : index.entries) found.push_back(e.shebang);
  EXPECT_EQ(found, (std::vector<std::string>{"/bin/sh", "/usr/bin/env  python3 -s", "/bin/sh",
                                             std::string(255, 'x'), "", "/bin/a", "", "", ""}));
}

// Blocks of the pipeline are 256 KiB: whatever is cut by one must not change what is found.
TEST(IndexLayer, FindsTheSameAcrossBlockBoundaries) {
  const std::string elf = tiny_elf(3000), script = "#!/bin/sh -e\n" + noise(900);
  for (std::size_t before = 259'000; before <= 262'144; before += 128) {
    const LayerIndex index = must_index(TarBuilder()
                                            .file("fill", noise(before))
                                            .file("lib.so", elf)
                                            .file("script", script, 0755)
                                            .str());
    ASSERT_EQ(index.entries.size(), 3U);
    EXPECT_EQ(index.entries[1].sha256, sha256(elf));
    EXPECT_GE(index.entries[1].elf, 0);
    EXPECT_EQ(index.entries[2].shebang, "/bin/sh -e");
    const auto packed = index.pack.find(sha256(script));
    ASSERT_NE(packed, index.pack.end());
    EXPECT_EQ(as_text(packed->second.view()), script);
  }
}

TEST(IndexLayer, ReadsElfFactsHoweverLargeTheFile) {
  for (const std::size_t size : {64U, 1000U, 300'000U, 4U << 20, (4U << 20) + 1, 9U << 20}) {
    const std::string elf = tiny_elf(size);
    const LayerIndex index =
        must_index(TarBuilder().file("a", elf).file("text", "\177EL").file("b", tiny_elf()).str());
    ASSERT_EQ(index.entries[0].elf, 0) << size;
    EXPECT_EQ(index.entries[0].sha256, sha256(elf));
    EXPECT_EQ(index.elfs[0].machine, elf::kMachineX86_64);
    EXPECT_EQ(index.entries[1].elf, -1);
    EXPECT_EQ(index.entries[2].elf, 1);
  }
}

TEST(IndexLayer, TakesADamagedElfFileForAFile) {
  std::string elf = tiny_elf();
  elf[56] = 5;  // five program headers beyond the end
  elf[32] = 64;
  const LayerIndex index = must_index(TarBuilder().file("x/libpal.so", elf).str());
  EXPECT_EQ(index.entries[0].elf, -1);
  EXPECT_EQ(index.entries[0].sha256, sha256(elf));
  EXPECT_TRUE(index.elfs.empty());
  EXPECT_TRUE(index.pack.empty());
}

Entry file_entry(std::string path, std::uint64_t size = 10) {
  Entry e;
  e.path = std::move(path);
  e.size = size;
  return e;
}

TEST(PackRules, WantWhatAnalysersRead) {
  for (const char* path :
       {"etc/passwd", "etc/group", "etc/ld.so.conf", "etc/ld.so.conf.d/x86_64-linux-gnu.conf",
        "etc/ld-musl-x86_64.path", "var/lib/dpkg/status", "lib/apk/db/installed",
        "usr/lib/python3/dist-packages/graminelibos/_graminelibos_offsets.py",
        "_graminelibos_offsets.py"})
    EXPECT_TRUE(wants_packed(file_entry(path), {})) << path;
  for (const char* path : {"etc/shadow", "x/etc/passwd", "etc/passwd/x", "etc/ld.so.conf.d",
                           "etc/ld.so.conf.d/a/b", "etc/passwd-", "usr/bin/env", ""})
    EXPECT_FALSE(wants_packed(file_entry(path), {})) << path;
}

TEST(PackRules, WantRuntimeFilesOnlyAsElf) {
  Entry e = file_entry("usr/lib/x86_64-linux-gnu/gramine/runtime/glibc/libm.so.6");
  EXPECT_FALSE(wants_packed(e, {}));
  e.elf = 0;
  EXPECT_TRUE(wants_packed(e, {}));
  e.path = "gramine/runtime/glibc/libm.so.6";
  EXPECT_TRUE(wants_packed(e, {}));
  e.path = "usr/lib/libm.so.6";
  EXPECT_FALSE(wants_packed(e, {}));
}

TEST(PackRules, WantExecutableScriptsOfModestSize) {
  Entry e = file_entry("opt/start");
  e.shebang = "/bin/sh";
  EXPECT_FALSE(wants_packed(e, {}));
  e.mode = 0755;
  EXPECT_TRUE(wants_packed(e, {}));
  e.size = Limits().packed_file_bytes + 1;
  EXPECT_FALSE(wants_packed(e, {}));
}

TEST(PackRules, WantOnlyRegularFiles) {
  Entry e = file_entry("etc/passwd");
  e.type = FileType::symlink;
  EXPECT_FALSE(wants_packed(e, {}));
}

TEST(IndexLayer, PacksWithinItsLimitAndEachContentOnce) {
  Limits limits;
  limits.packed_layer_bytes = 250;
  const std::string one(100, '1'), two(100, '2'), three(100, '3');
  const auto index = index_tar(TarBuilder()
                                   .file("etc/passwd", one)
                                   .file("etc/group", one)
                                   .file("etc/nsswitch.conf", two)
                                   .file("etc/ld.so.conf", three)
                                   .file("etc/ld.so.preload", "")
                                   .str(),
                               limits);
  ASSERT_TRUE(index.has_value());
  EXPECT_EQ(index->pack.count(sha256(one)), 1U);
  EXPECT_EQ(index->pack.count(sha256(two)), 1U);
  EXPECT_EQ(index->pack.count(sha256(three)), 0U);
  EXPECT_EQ(index->pack.count(sha256("")), 1U);
  EXPECT_EQ(index->pack.size(), 3U);
}

}  // namespace
}  // namespace cloister::measure
