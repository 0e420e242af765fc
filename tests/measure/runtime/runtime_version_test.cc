// Version texts and package databases.
#include "measure/runtime/runtime_version.h"

#include <gtest/gtest.h>

namespace cloister::measure {
namespace {

TEST(ReleaseNumber, TakesTheLeadingNumbers) {
  EXPECT_EQ(release_number("1.9"), "1.9");
  EXPECT_EQ(release_number("1.9-1"), "1.9");
  EXPECT_EQ(release_number("1.6.2"), "1.6.2");
  EXPECT_EQ(release_number("1.6.2.7"), "1.6.2");
  EXPECT_EQ(release_number("2:1.8+dfsg-1"), "1.8");
  EXPECT_EQ(release_number("v1.7"), "1.7");
  EXPECT_EQ(release_number("1.9post~UNRELEASED"), "1.9");
  EXPECT_EQ(release_number("1.10"), "1.10");
}

TEST(ReleaseNumber, IsEmptyForEverythingElse) {
  for (const char* text : {"", "1", "1.", ".9", "one.nine", "UNRELEASED", "1.x", "1234567.1", ":"})
    EXPECT_EQ(release_number(text), "") << text;
}

TEST(DpkgStatus, ReadsInstalledPackages) {
  PackageVersions versions;
  parse_dpkg_status(
      "Package: gramine\nStatus: install ok installed\nVersion: 1.9\nDescription: x\n Version: 3\n"
      "\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\n"
      "Status: purge ok not-installed\nPackage: never\nVersion: 2\n\n"
      "Package: half\n\n"
      "Version: 7\n\n"
      "Package: last\r\nVersion: 4",
      versions);
  EXPECT_EQ(versions, (PackageVersions{{"gramine", "1.9"}, {"last", "4"}}));
}

TEST(DpkgStatus, TakesAnyBytes) {
  PackageVersions versions;
  std::string text;
  for (int i = 0; i < 4096; ++i) text += static_cast<char>(i * 37);
  parse_dpkg_status(text, versions);
  parse_dpkg_status("Package:\nVersion:", versions);
  parse_dpkg_status(std::string(10, '\0'), versions);
  EXPECT_TRUE(versions.empty());
}

}  // namespace
}  // namespace cloister::measure
