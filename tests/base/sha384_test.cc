#include "base/sha384.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister {
namespace {

// FIPS 180-4 examples.
constexpr const char* kAbc =
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825"
    "a"
    "7";

TEST(Sha384, MatchesThePublishedExamples) {
  EXPECT_EQ(
      hex(sha384({})),
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f148"
      "98b95b");
  EXPECT_EQ(hex(sha384(as_bytes("abc"))), kAbc);
}

TEST(Sha384, PiecesAreTheWholeAndFinishStartsAnew) {
  Sha384 hasher;
  for (int i = 0; i < 2; ++i) {
    hasher.update(as_bytes("a"));
    hasher.update({});
    hasher.update(as_bytes("bc"));
    EXPECT_EQ(hex(hasher.finish()), kAbc);
  }
  Sha384 moved = std::move(hasher);
  moved.update(as_bytes("abc"));
  EXPECT_EQ(hex(moved.finish()), kAbc);
}

}  // namespace
}  // namespace cloister
