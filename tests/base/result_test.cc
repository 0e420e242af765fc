#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "tests/base/must.h"

namespace cloister {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error::invalid("odd");
  return n / 2;
}

Result<int> quarter(int n) {
  CL_TRY(const int h, half(n));
  CL_TRY(const int q, half(h));
  return q;
}

Status check_even(int n) {
  CL_CHECK(half(n));
  return {};
}

Result<std::unique_ptr<int>> boxed(int n) {
  CL_TRY(auto value, half(n));
  return std::make_unique<int>(value);
}

TEST(Result, TryPassesTheValueOrTheError) {
  EXPECT_EQ(must(quarter(8)), 2);
  ASSERT_FALSE(quarter(6).has_value());
  EXPECT_EQ(quarter(6).error().code(), Code::invalid);
  EXPECT_TRUE(check_even(2).has_value());
  EXPECT_FALSE(check_even(1).has_value());
}

TEST(Result, MovesWhatCannotBeCopied) {
  EXPECT_EQ(**boxed(6), 3);
}

TEST(Result, IsSmallOnTheWayOfSuccess) {
  EXPECT_EQ(sizeof(Error), sizeof(void*));
  EXPECT_LE(sizeof(Result<std::uint32_t>), 16U);
}

TEST(Result, WhileIsAddedOnlyToFailures) {
  EXPECT_EQ(must(half(4).while_("halving")), 2);
  const auto failed = half(3).while_("halving");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().trace(), std::vector<std::string>{"halving"});
}

TEST(Error, KeepsDetailsAndTraceInOrderAndTheLastHint) {
  const Error error = Error::corrupt("bad")
                          .detail("got 1")
                          .detail("want 2")
                          .hint("inner")
                          .while_("reading a layer")
                          .hint("outer")
                          .while_("building an image");
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_EQ(error.what(), "bad");
  EXPECT_EQ(error.hint(), "outer");
  EXPECT_EQ(error.details(), (std::vector<std::string>{"got 1", "want 2"}));
  EXPECT_EQ(error.trace(), (std::vector<std::string>{"reading a layer", "building an image"}));
}

TEST(Error, CloneIsIndependent) {
  Error first = Error::limit("too much").hint("less");
  Error second = first.clone();
  first = std::move(first).hint("changed");
  EXPECT_EQ(second.hint(), "less");
  EXPECT_EQ(second.code(), Code::limit);
}

TEST(Error, NamesTheErrorOfTheSystem) {
  const Error error = Error::io_errno("cannot open 'x'", ENOENT);
  EXPECT_EQ(error.code(), Code::io);
  EXPECT_EQ(error.what(), "cannot open 'x': No such file or directory");
}

}  // namespace
}  // namespace cloister
