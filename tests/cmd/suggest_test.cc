#include "cmd/suggest.h"

#include <gtest/gtest.h>

namespace cloister::cmd {
namespace {

const std::vector<std::string> kWords = {"build", "pull", "push", "inspect"};

TEST(Suggest, FindsASwappedLetter) {
  EXPECT_EQ(nearest("buidl", kWords), "build");
}
TEST(Suggest, PrefersTheNearer) {
  EXPECT_EQ(nearest("pul", kWords), "pull");
}
TEST(Suggest, SaysNothingForAStranger) {
  EXPECT_EQ(nearest("verify-everything", kWords), std::nullopt);
}
TEST(Suggest, IgnoresAbsurdLengths) {
  EXPECT_EQ(nearest(std::string(100000, 'x'), kWords), std::nullopt);
}

}  // namespace
}  // namespace cloister::cmd
