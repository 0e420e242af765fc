// testdata/packages/rpmdb.sqlite is rpm's own work (make-rpmdb.sh): small pages, so that the table
// has interior pages, leaves and overflow chains.
#include "manifest-gen/packages/rpm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "manifest-gen/packages/sqlite_table.h"
#include "tests/base/source_dir.h"

namespace cloister::manifest {
namespace {

Bytes database() {
  auto bytes = read_file(source_dir() / "testdata/packages/rpmdb.sqlite", 1 << 20);
  if (!bytes) {
    ADD_FAILURE() << bytes.error().what();
    return {};
  }
  return std::move(*bytes);
}

const Package* named(const std::vector<Package>& packages, std::string_view name) {
  const auto at = std::find_if(packages.begin(), packages.end(),
                               [&](const Package& p) { return p.name == name; });
  return at != packages.end() ? &*at : nullptr;
}

TEST(RpmDatabase, WhatRpmWroteIsRead) {
  const auto packages = parse_rpm_database(database(), Limits{});
  ASSERT_TRUE(packages) << packages.error().what();
  EXPECT_EQ(packages->size(), 26U);
  const Package* hello = named(*packages, "hello");
  ASSERT_NE(hello, nullptr);
  EXPECT_EQ(hello->version, "1:2.1-3");
  EXPECT_EQ(hello->source, "hello");
  EXPECT_EQ(hello->architecture, "noarch");
  EXPECT_EQ(hello->license, "MIT");
  EXPECT_EQ(hello->files, (std::vector<std::string>{"/etc/hello/hello.conf", "/usr/bin/hello"}))
      << "a ghost is no file of the package";
  EXPECT_EQ(hello->conffiles, std::vector<std::string>{"/etc/hello/hello.conf"});
  EXPECT_NE(std::find(hello->depends.begin(), hello->depends.end(), "hello-data"),
            hello->depends.end());
  const Package* data = named(*packages, "hello-data");
  ASSERT_NE(data, nullptr) << "its header lies on a chain of overflow pages";
  EXPECT_EQ(data->files.size(), 61U);
  EXPECT_EQ(data->source, "hello");
  for (int i = 1; i <= 24; ++i) {
    const Package* tool = named(*packages, cat("tool-", i));
    ASSERT_NE(tool, nullptr) << i;
    EXPECT_EQ(tool->files, std::vector<std::string>{cat("/usr/bin/tool-", i)});
  }
}

TEST(RpmDatabase, ATruncatedOneIsAnErrorAtEveryLength) {
  const Bytes bytes = database();
  for (std::size_t size = 0; size < bytes.size(); size += 511)
    EXPECT_FALSE(parse_rpm_database(ByteView(bytes).first(size), Limits{})) << size;
}

// Whatever a byte becomes, the reader ends, and inside the file.
TEST(RpmDatabase, DamageIsSurvived) {
  const Bytes bytes = database();
  for (std::size_t at = 0; at < bytes.size(); at += 487) {
    Bytes damaged = bytes;
    damaged[at] ^= std::byte{0xff};
    (void)parse_rpm_database(damaged, Limits{});
  }
  for (std::size_t at = 0; at < 1024; at += 3) {
    Bytes damaged = bytes;
    damaged[at] = std::byte{0};
    (void)parse_rpm_database(damaged, Limits{});
  }
}

TEST(SqliteTable, APageThatComesTwiceIsRefused) {
  // Page 2 is the root of Packages: let its first child be itself.
  Bytes bytes = database();
  const std::size_t page = 512;
  ASSERT_EQ(std::to_integer<int>(bytes[page]), 5) << "an interior page";
  const std::size_t cell = std::to_integer<std::size_t>(bytes[page + 12]) << 8U |
                           std::to_integer<std::size_t>(bytes[page + 13]);
  for (std::size_t i = 0; i < 4; ++i) bytes[page + cell + i] = std::byte(i == 3 ? 2 : 0);
  const auto packages = parse_rpm_database(bytes, Limits{});
  ASSERT_FALSE(packages);
  EXPECT_EQ(packages.error().code(), Code::corrupt);
}

TEST(SqliteTable, AnotherTableIsNotThere) {
  const auto status =
      read_sqlite_blobs(database(), "Basenames", Limits{}, [](ByteView) { return Status(); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::unresolved);
  EXPECT_FALSE(
      read_sqlite_blobs(as_bytes("no database"), "x", Limits{}, [](ByteView) { return Status(); }));
}

TEST(RpmHeader, ShortAndInconsistentOnesAreRefused) {
  EXPECT_FALSE(parse_rpm_header({}, Limits{}));
  const Bytes huge(16, std::byte{0xff});
  EXPECT_FALSE(parse_rpm_header(huge, Limits{}));
  const Bytes empty(8, std::byte{0});
  EXPECT_FALSE(parse_rpm_header(empty, Limits{})) << "without a name";
}

}  // namespace
}  // namespace cloister::manifest
