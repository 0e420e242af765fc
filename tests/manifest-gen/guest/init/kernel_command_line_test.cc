// Words of a kernel command line, as the first process finds them.
#include <gtest/gtest.h>

#include <optional>
#include <string>

extern "C" {
#include "manifest-gen/guest/init/kernel_command_line.h"
}

namespace cloister {
namespace {

std::optional<std::string> option(const char* text, const char* name, std::size_t size = 16) {
  std::string out(size, '#');
  if (!find_option(text, name, out.data(), size)) return std::nullopt;
  EXPECT_NE(out.find('\0'), std::string::npos);
  return std::string(out.c_str());
}

TEST(KernelCommandLine, HasWords) {
  EXPECT_EQ(option("a=1", "a"), "1");
  EXPECT_EQ(option("initrd=initrd console=ttyS0 a=1 quiet\n", "a"), "1");
  EXPECT_EQ(option("  a=1  \n", "a"), "1");
  EXPECT_EQ(option("a=", "a"), "");
  EXPECT_EQ(option("a=b=c", "a"), "b=c");
  EXPECT_EQ(option("a=\"x y\"", "a"), "\"x");  // no quotes: nothing of ours needs them
}

TEST(KernelCommandLine, NamesAreWhole) {
  for (const char* text :
       {"", " ", "\n", "a", "a ", "aa=1", "ba=1", "b a b", "A=1", "a =1", "=1", "x-a=1", "b=a=1"})
    EXPECT_EQ(option(text, "a"), std::nullopt) << text;
}

// As the kernel's own options.
TEST(KernelCommandLine, TheLastOneCounts) {
  EXPECT_EQ(option("a=1 a=2", "a"), "2");
  EXPECT_EQ(option("a=1 b=2 a=", "a"), "");
  EXPECT_EQ(option("a=1 a", "a"), "1");
}

TEST(KernelCommandLine, WhatDoesNotFitIsNoValue) {
  EXPECT_EQ(option("a=123", "a", 4), "123");
  EXPECT_EQ(option("a=1234", "a", 4), std::nullopt);
  EXPECT_EQ(option("a=1 a=1234", "a", 4), std::nullopt);  // not an older one in its place
  EXPECT_EQ(option("a=1234 a=1", "a", 4), "1");
  EXPECT_EQ(option("a=", "a", 1), "");
}

}  // namespace
}  // namespace cloister
