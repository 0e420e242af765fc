// Debian packages as layers.
#include "measure/runtime/deb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"
#include "measure/runtime/runtime.h"
#include "tests/measure/runtime/deb_builder.h"
#include "tests/measure/runtime/standin.h"

namespace cloister::measure {
namespace {

using namespace test;

// A Source with its own bytes.
class TextSource final : public Source {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)), inner_(as_bytes(text_)) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return inner_.read(out); }

 private:
  std::string text_;
  MemorySource inner_;
};

Result<IndexedLayer> index(const std::string& package, const Limits& limits = {},
                           int* opened = nullptr) {
  return index_package(
      [package, opened]() -> Result<std::unique_ptr<Source>> {
        if (opened != nullptr) ++*opened;
        return std::unique_ptr<Source>(std::make_unique<TextSource>(package));
      },
      "'test.deb'", limits);
}

const Entry* find(const IndexedLayer& layer, std::string_view path) {
  for (const Entry& entry : layer.index->entries)
    if (entry.path == path) return &entry;
  return nullptr;
}

TEST(Deb, FilesAndVersionAreIndexed) {
  const std::string package =
      deb("gramine", "1.9-1",
          {{"./usr/lib64/gramine/libsysdb.so", "db"}, {"./usr/lib64/gramine/sgx/loader", "ld"}});
  const auto layer = index(package);
  ASSERT_TRUE(layer.has_value()) << layer.error().what();
  EXPECT_EQ(layer->index->blob, sha256(package));
  const Entry* file = find(*layer, "usr/lib64/gramine/libsysdb.so");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->sha256, sha256("db"));
  const Entry* status = find(*layer, "var/lib/dpkg/status.d/gramine");
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(as_text(layer->index->pack.at(status->sha256).view()),
            "Package: gramine\nVersion: 1.9-1\n");
}

TEST(Deb, ContentIsReadAgain) {
  int opened = 0;
  const auto layer = index(
      deb("gramine", "1.9", {{"./usr/bin/a", "first"}, {"./usr/bin/tool", "tool"}}), {}, &opened);
  ASSERT_TRUE(layer.has_value());
  EXPECT_EQ(opened, 1);
  const auto read = [&](std::string_view path, std::uint64_t max) {
    return layer->content->read(*find(*layer, path), max);
  };
  ASSERT_TRUE(read("usr/bin/tool", 100).has_value());
  EXPECT_EQ(as_text(*read("usr/bin/tool", 4)), "tool");
  EXPECT_EQ(as_text(*read("usr/bin/a", 100)), "first");
  EXPECT_EQ(opened, 4);
  EXPECT_EQ(read("usr/bin/tool", 3).error().code(), Code::limit);
}

TEST(Deb, MembersThatBeginWithUnderscoreAreIgnored) {
  const auto layer = index(ar_archive({{"debian-binary", "2.0\n"},
                                       {"_gpgorigin", "odd"},
                                       {"control.tar", control_tar("a", "1")},
                                       {"_more", ""},
                                       {"data.tar", tar_archive({{"./x", "y"}})},
                                       {"_after", "z"}}));
  ASSERT_TRUE(layer.has_value()) << layer.error().what();
  EXPECT_NE(find(*layer, "x"), nullptr);
}

TEST(Deb, SystemVNamesAreUnderstood) {
  const auto layer = index(ar_archive({{"debian-binary/", "2.0\n"},
                                       {"control.tar/", control_tar("a", "1")},
                                       {"data.tar/", tar_archive({{"./x", "y"}})}}));
  ASSERT_TRUE(layer.has_value()) << layer.error().what();
}

TEST(Deb, WhatIsNoPackageIsRefused) {
  const std::string control = control_tar("a", "1"), data = tar_archive({{"./x", "y"}});
  const std::vector<std::pair<std::string, Code>> cases = {
      {"", Code::corrupt},
      {"not an archive at all", Code::corrupt},
      {"!<arch>\n", Code::corrupt},
      {ar_archive({{"other", "x"}}), Code::corrupt},
      {ar_archive({{"debian-binary", "3.0\n"}}), Code::unsupported},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}}), Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"data.tar", data}}), Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", data}, {"data.tar", data}}),
       Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar.lzma", data}}),
       Code::unsupported},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar.xz", data}}),
       Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar.gz", data}}),
       Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar.zst", data}}),
       Code::corrupt},
      {ar_archive({{"debian-binary", "2.0\n"}, {"control.tar", control}, {"data.tar", "junk"}}),
       Code::corrupt},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto layer = index(cases[i].first);
    ASSERT_FALSE(layer.has_value()) << i;
    EXPECT_EQ(layer.error().code(), cases[i].second) << i << ": " << layer.error().what();
  }
}

TEST(Deb, PackageNameCannotLeadOutOfTheDatabase) {
  for (const char* name : {"../../etc/passwd", "", "..", "a/b", "UPPER", "a b"})
    EXPECT_FALSE(index(deb(name, "1", {{"./x", "y"}})).has_value()) << name;
  EXPECT_FALSE(index(deb("a", "", {{"./x", "y"}})).has_value());
}

TEST(Deb, EveryTruncationIsAnError) {
  const std::string package = deb("gramine", "1.9", {{"./libsysdb.so", "db"}});
  // The last 1024 bytes are the end-of-archive mark of data.tar.
  for (std::size_t size = 0; size < package.size() - 1024; size += 61) {
    const auto layer = index(package.substr(0, size));
    ASSERT_FALSE(layer.has_value()) << size;
    EXPECT_EQ(layer.error().code(), Code::corrupt) << size << ": " << layer.error().what();
  }
}

TEST(Deb, LimitOfThePackageHolds) {
  Limits limits;
  limits.blob_bytes = 1000;
  EXPECT_EQ(index(deb("a", "1", {{"./x", "y"}}), limits).error().code(), Code::limit);
}

TEST(Deb, AbsentFileIsIo) {
  EXPECT_EQ(index_deb("/nonexistent/x.deb", Limits()).error().code(), Code::io);
}

TEST(Deb, EveryCompressionOfDpkgGivesTheSameRuntime) {
  const std::string& root = standin_runtime();
  if (root.empty() || !has_program("dpkg-deb"))
    GTEST_SKIP() << "needs gcc for the stand-in runtime, and dpkg-deb";
  const ScratchDirectory scratch;
  const std::string tree = scratch.path() + "/tree";
  ASSERT_EQ(std::system(("cp -a '" + root + "' '" + tree + "' && rm -r '" + tree +
                         "/var' && mkdir '" + tree + "/DEBIAN'")
                            .c_str()),
            0);
  std::ofstream(tree + "/DEBIAN/control")
      << "Package: gramine\nVersion: 1.9-1\nArchitecture: amd64\n"
         "Maintainer: nobody <nobody@localhost>\n"
         "Description: stand-in\n";
  for (const std::string compression : {"none", "gzip", "xz", "zstd"}) {
    const std::string file = scratch.path() + "/" + compression + ".deb";
    if (std::system(("dpkg-deb --root-owner-group -z1 -Z" + compression + " -b '" + tree + "' '" +
                     file + "' >/dev/null 2>&1")
                        .c_str()) != 0) {
      ADD_FAILURE() << "dpkg-deb cannot write " << compression;
      continue;
    }
    auto layer = index_deb(file, Limits());
    ASSERT_TRUE(layer.has_value()) << compression << ": " << layer.error().what();
    std::vector<IndexedLayer> layers = {*layer};
    auto rootfs = Rootfs::merge(std::move(layers), Limits());
    ASSERT_TRUE(rootfs.has_value()) << compression;
    std::vector<RuntimeSource> sources(1);
    sources[0].rootfs = std::make_shared<const Rootfs>(std::move(*rootfs));
    const auto runtime = discover_runtime(std::move(sources), Limits());
    ASSERT_TRUE(runtime.has_value()) << compression << ": " << runtime.error().what();
    EXPECT_EQ(runtime->version_evidence, "package gramine 1.9-1");
    EXPECT_TRUE(runtime->missing.empty()) << join(runtime->missing, "; ");
    EXPECT_TRUE(runtime->layout_from_runtime);
    EXPECT_TRUE(runtime->read(*runtime->libpal, 1 << 20).has_value()) << compression;
  }
}

}  // namespace
}  // namespace cloister::measure
