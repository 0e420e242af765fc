#include "base/sha384.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace cloister {
namespace {

// FIPS 180-4 examples.
constexpr const char* kEmpty384 =
    "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
    "274edebfe76f65fbd51ad2f14898b95b";
constexpr const char* kAbc384 =
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7";

TEST(Sha384, MatchesThePublishedExamples) {
  EXPECT_EQ(hex(sha384({})), kEmpty384);
  EXPECT_EQ(hex(sha384(as_bytes("abc"))), kAbc384);
  EXPECT_EQ(hex(sha384(as_bytes(std::string(1000000, 'a')))),
            "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
            "07b8b3dc38ecc4ebae97ddd87f3d8985");
}

TEST(Sha384, PiecesAreTheWholeAndTheNextInputBeginsAnew) {
  Sha384 hasher;
  hasher.update(as_bytes("a"));
  hasher.update({});
  hasher.update(as_bytes("bc"));
  EXPECT_EQ(hex(hasher.finish()), kAbc384);
  EXPECT_EQ(hex(hasher.finish()), kEmpty384);
}

}  // namespace
}  // namespace cloister
