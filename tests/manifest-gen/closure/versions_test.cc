#include "manifest-gen/closure/versions.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

TEST(Versions, CompareByNumbersNotByText) {
  EXPECT_LT(compare_versions("GLIBC_2.9", "GLIBC_2.34"), 0);
  EXPECT_GT(compare_versions("GLIBC_2.34", "GLIBC_2.3.4"), 0);
  EXPECT_EQ(compare_versions("GLIBC_2.34", "GLIBC_2.34"), 0);
  EXPECT_LT(compare_versions("GLIBC_PRIVATE", "GLIBC_2.1"), 0);
}

TEST(Versions, OffersTheHighestOfTheSameKind) {
  measure::elf::Facts library;
  library.version_definitions = {"GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE", "OTHER_9.9"};
  EXPECT_EQ(offers(library, "GLIBC_2.41"), "offers GLIBC_2.36 at most");
  EXPECT_EQ(offers(library, "GLIBCXX_3.4"), "defines no version like GLIBCXX_3.4");
  EXPECT_TRUE(defines(library, "GLIBC_PRIVATE"));
  EXPECT_FALSE(defines(library, "GLIBC_2.41"));
}

}  // namespace
}  // namespace cloister::manifest
