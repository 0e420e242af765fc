#include "base/suggest.h"

#include <gtest/gtest.h>

#include "tests/base/source_dir.h"

namespace cloister {
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
TEST(Suggest, TakesNoOtherWordForAShortOne) {
  EXPECT_EQ(nearest("x", {"at", "on"}), std::nullopt);
  EXPECT_EQ(nearest("lss", {"ls", "prune"}), "ls");
}
TEST(Suggest, FindsWhatStandsBesideAPath) {
  const auto found = nearest_path(source_dir() / "base" / "sugest.h");
  EXPECT_EQ(found, (source_dir() / "base" / "suggest.h").native());
  EXPECT_EQ(nearest_path(source_dir() / "no-such-directory" / "suggest.h"), std::nullopt);
}
TEST(Suggest, IgnoresAbsurdLengths) {
  EXPECT_EQ(nearest(std::string(100000, 'x'), kWords), std::nullopt);
}

}  // namespace
}  // namespace cloister
