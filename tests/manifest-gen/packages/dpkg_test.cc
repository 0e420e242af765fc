#include "manifest-gen/packages/dpkg.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

using Strings = std::vector<std::string>;

std::vector<Package> parse(std::string_view text) {
  auto packages = parse_dpkg_status(text, Limits{});
  if (!packages) {
    ADD_FAILURE() << packages.error().what();
    return {};
  }
  return std::move(*packages);
}

TEST(DpkgStatus, FieldsOfAnInstalledPackage) {
  const auto packages = parse(
      "Package: redis-server\n"
      "Status: install ok installed\n"
      "Architecture: amd64\n"
      "Source: redis (5:7.0.15-1)\n"
      "Version: 5:7.0.15-1+b1\n"
      "Pre-Depends: init-system-helpers (>= 1.54~)\n"
      "Depends: redis-tools (= 5:7.0.15-1+b1), default-mta | mail-transport-agent, perl:any\n"
      "Conffiles:\n"
      " /etc/redis/redis.conf 0123456789abcdef\n"
      " /etc/old.conf 0123456789abcdef obsolete\n"
      "Description: a store\n"
      " /etc/not/a/conffile is prose\n");
  ASSERT_EQ(packages.size(), 1U);
  const Package& p = packages.front();
  EXPECT_EQ(p.name, "redis-server");
  EXPECT_EQ(p.version, "5:7.0.15-1+b1");
  EXPECT_EQ(p.source, "redis");
  EXPECT_EQ(p.architecture, "amd64");
  EXPECT_FALSE(p.essential);
  EXPECT_EQ(p.depends, (Strings{"init-system-helpers", "redis-tools", "default-mta",
                                "mail-transport-agent", "perl"}));
  EXPECT_EQ(p.conffiles, Strings{"/etc/redis/redis.conf"});
}

TEST(DpkgStatus, RemovedPackagesAreNotThere) {
  const auto packages = parse(
      "Package: gone\nStatus: deinstall ok config-files\n\n"
      "Package: never\nStatus: unknown ok not-installed\n\n"
      "Package: half\nStatus: install reinstreq half-installed\n\n"
      "Package: base\nStatus: install ok installed\nEssential: yes\n");
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "half");
  EXPECT_TRUE(packages[1].essential);
  EXPECT_EQ(packages[1].source, "base");
}

TEST(DpkgStatus, AParagraphWithoutStatusIsInstalled) {
  EXPECT_EQ(parse("Package: libssl3\nVersion: 3.0\n").size(), 1U);
}

TEST(DpkgStatus, AnythingElseIsPassedOver) {
  EXPECT_TRUE(parse("").empty());
  EXPECT_TRUE(parse("\n\n \n").empty());
  EXPECT_TRUE(parse(" continued without a field\nno colon\n:\n").empty());
  EXPECT_TRUE(parse("Version: 1\n\nStatus: install ok installed\n").empty());
  EXPECT_EQ(parse(std::string("Package: a\0b\r\n", 14)).size(), 1U);
}

TEST(DpkgList, AbsolutePathsOnly) {
  EXPECT_EQ(parse_dpkg_list("/.\n/etc\n/etc/x y\nrelative\n\n/last"),
            (Strings{"/etc", "/etc/x y", "/last"}));
}

TEST(Md5sums, PathsBecomeAbsolute) {
  EXPECT_EQ(parse_md5sums("0123  usr/lib/a b\n4567  ./usr/x\nnothing\n89  \n"),
            (Strings{"/usr/lib/a b", "/usr/x"}));
}

}  // namespace
}  // namespace cloister::manifest
