#include "base/hint.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cloister {
namespace {

constexpr Advice kAdvice{"copy it again", "make it smaller", "look at it"};

TEST(Hint, DependsOnTheSortOfFailure) {
  EXPECT_EQ(advise(Error::corrupt("x"), kAdvice).hint(), "copy it again");
  EXPECT_EQ(advise(Error::limit("x"), kAdvice).hint(), "make it smaller");
  EXPECT_EQ(advise(Error::unsupported("x"), kAdvice).hint(), "look at it");
}

TEST(Hint, OfTheInnerPlaceStays) {
  EXPECT_EQ(advise(Error::corrupt("x").hint("own"), kAdvice).hint(), "own");
}

TEST(Hint, IsNotGivenWhereNothingHelps) {
  EXPECT_EQ(advise(Error::internal("x"), kAdvice).hint(), "");
  EXPECT_EQ(advise(Error::cancelled(), kAdvice).hint(), "");
  EXPECT_EQ(advise(Error::corrupt("x"), Advice{}).hint(), "");
}

TEST(Hint, IsAddedToAResultThatFailed) {
  const Result<int> failed = advise(Result<int>(Error::corrupt("x")), kAdvice);
  EXPECT_EQ(failed.error().hint(), "copy it again");
  EXPECT_EQ(*advise(Result<int>(7), kAdvice), 7);
}

// What the operating system refuses, the user can nearly always put right.
TEST(Hint, ComesWithEveryRefusalOfTheSystem) {
  for (const int number :
       {ENOENT, EACCES, EPERM, ENOSPC, EROFS, EISDIR, ENOTDIR, EMFILE, EIO, EBUSY})
    EXPECT_NE(Error::io_errno("x", number).hint(), "") << number;
  EXPECT_NE(Error::io_errno("x", ENOENT).hint(), Error::io_errno("x", ENOSPC).hint());
}

}  // namespace
}  // namespace cloister
