#include "base/path.h"

#include <gtest/gtest.h>

namespace cloister {
namespace {

TEST(Path, LastComponentAndTheDirectoryOfIt) {
  EXPECT_EQ(base_name("/usr/bin/python3"), "python3");
  EXPECT_EQ(base_name("python3"), "python3");
  EXPECT_EQ(base_name("/usr/"), "");
  EXPECT_EQ(parent_directory("/usr/bin/python3"), "/usr/bin");
  EXPECT_EQ(parent_directory("/usr"), "/");
  EXPECT_EQ(parent_directory("usr"), "/");
}

TEST(Path, IsWithinByComponents) {
  EXPECT_TRUE(is_within("/a/b", "/a"));
  EXPECT_TRUE(is_within("/a", "/a"));
  EXPECT_TRUE(is_within("/a/b", "/a/"));
  EXPECT_TRUE(is_within("/a", "/a//"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/ab", "/a"));
  EXPECT_FALSE(is_within("/a", "/a/b"));
  EXPECT_FALSE(is_within("", "/a"));
}

}  // namespace
}  // namespace cloister
