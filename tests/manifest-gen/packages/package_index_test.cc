#include "manifest-gen/packages/package_index.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/source_dir.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

constexpr std::string_view kStatus =
    "Package: libz\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.3\n\n"
    "Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n";

Tree debian() {
  Tree tree;
  tree.directory("/usr/lib/x86_64-linux-gnu")
      .link("/lib", "usr/lib")
      .file("/usr/lib/x86_64-linux-gnu/libz.so.1.3", "z")
      .link("/usr/lib/x86_64-linux-gnu/libz.so.1", "libz.so.1.3")
      .file("/usr/bin/tool", "t")
      .file("/usr/bin/own", "o")
      .file("/etc/os-release", "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n")
      .file("/var/lib/dpkg/status", kStatus)
      .file("/var/lib/dpkg/info/libz:amd64.list",
            "/.\n/lib\n/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu/libz.so.1.3\n"
            "/lib/x86_64-linux-gnu/libz.so.1\n/usr/share/doc/libz/copyright\n")
      .file("/var/lib/dpkg/info/tool.list", "/.\n/usr\n/usr/bin\n/usr/bin/tool\n");
  return tree;
}

std::string owner_of(const PackageIndex& index, std::string_view path) {
  const Package* owner = index.owner(path);
  return owner != nullptr ? owner->name : "";
}

TEST(PackageIndex, OwnersAreFoundByTheFileHoweverItIsSpelled) {
  const auto root = debian().build();
  const auto index = PackageIndex::read(root, Limits{});
  EXPECT_TRUE(index.notes().empty());
  for (const char* path :
       {"/lib/x86_64-linux-gnu/libz.so.1.3", "/usr/lib/x86_64-linux-gnu/libz.so.1.3",
        "/usr/lib/x86_64-linux-gnu/libz.so.1"})
    EXPECT_EQ(owner_of(index, path), "libz") << path;
  EXPECT_EQ(owner_of(index, "/usr/bin/tool"), "tool");
  EXPECT_EQ(owner_of(index, "/usr/bin/own"), "");
  EXPECT_EQ(owner_of(index, "/absent"), "");
  EXPECT_EQ(owner_of(index, "/usr/bin"), "") << "a directory is nobody's";
  EXPECT_EQ(index.distribution().id, "debian");
  EXPECT_EQ(index.distribution().version_id, "12");
}

TEST(PackageIndex, FilesThatTheImageLacksAreNotListed) {
  const auto root = debian().build();
  const auto index = PackageIndex::read(root, Limits{});
  ASSERT_EQ(index.packages().size(), 2U);
  EXPECT_EQ(index.packages()[0].files,
            (std::vector<std::string>{"/lib/x86_64-linux-gnu/libz.so.1.3",
                                      "/lib/x86_64-linux-gnu/libz.so.1"}));
}

TEST(PackageIndex, DistrolessImagesHaveAFilePerPackage) {
  const auto root = Tree()
                        .file("/usr/lib/libssl.so.3", "s")
                        .file("/var/lib/dpkg/status.d/libssl3",
                              "Package: libssl3\nSource: openssl\nVersion: 3.0\n")
                        .file("/var/lib/dpkg/status.d/libssl3.md5sums", "00  usr/lib/libssl.so.3\n")
                        .build();
  const auto index = PackageIndex::read(root, Limits{});
  const Package* owner = index.owner("/usr/lib/libssl.so.3");
  ASSERT_NE(owner, nullptr);
  EXPECT_EQ(owner->source, "openssl");
}

TEST(PackageIndex, SeveralDatabasesAtOnce) {
  auto rpm = read_file(source_dir() / "testdata/packages/rpmdb.sqlite", 1 << 20);
  ASSERT_TRUE(rpm);
  Tree tree = debian();
  tree.file("/lib/apk/db/installed", "P:musl\nV:1\nF:usr/bin\nR:own\n")
      .file("/var/lib/rpm/rpmdb.sqlite", as_text(*rpm))
      .link("/usr/lib/sysimage/rpm", "../../../var/lib/rpm")
      .file("/usr/bin/hello", "h");
  const auto root = tree.build();
  const auto index = PackageIndex::read(root, Limits{});
  EXPECT_TRUE(index.notes().empty());
  EXPECT_EQ(owner_of(index, "/usr/bin/tool"), "tool");
  EXPECT_EQ(owner_of(index, "/usr/bin/own"), "musl");
  EXPECT_EQ(owner_of(index, "/usr/bin/hello"), "hello");
  EXPECT_EQ(index.packages().size(), 2U + 1U + 26U) << "a linked database counts once";
}

TEST(PackageIndex, ADatabaseThatCannotBeReadIsANote) {
  const auto root = Tree()
                        .file("/var/lib/rpm/rpmdb.sqlite", "this is no database")
                        .file("/var/lib/rpm/Packages", "Berkeley DB")
                        .file("/usr/bin/x", "")
                        .build();
  const auto index = PackageIndex::read(root, Limits{});
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.notes().size(), 2U);
  EXPECT_EQ(index.owner("/usr/bin/x"), nullptr);
}

TEST(PackageIndex, AnImageWithoutPackagesHasNone) {
  const auto root = Tree().file("/app", "x").build();
  const auto index = PackageIndex::read(root, Limits{});
  EXPECT_TRUE(index.empty());
  EXPECT_TRUE(index.notes().empty());
  EXPECT_EQ(PackageIndex().owner("/app"), nullptr);
}

}  // namespace
}  // namespace cloister::manifest
