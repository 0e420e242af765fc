#include "base/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

#include "tests/base/must.h"

namespace cloister {
namespace {

// FIPS 180-4 examples.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ(sha256("").hex(), kEmpty);
  EXPECT_EQ(sha256("abc").hex(), kAbc);
  EXPECT_EQ(sha256(std::string(1000000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesAreTheWhole) {
  Sha256 hasher;
  hasher.update("a");
  hasher.update(ByteView());
  hasher.update("bc");
  EXPECT_EQ(hasher.finish().hex(), kAbc);
}

TEST(Sha256, IsReadyForTheNextInput) {
  Sha256 hasher;
  hasher.update("something");
  (void)hasher.finish();
  EXPECT_EQ(hasher.finish().hex(), kEmpty);
  hasher.update("abc");
  EXPECT_EQ(hasher.finish().hex(), kAbc);
}

TEST(Digest, TextGoesBothWays) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(digest.str(), std::string("sha256:") + kAbc);
  EXPECT_EQ(must(Digest::parse(digest.str())), digest);
  EXPECT_EQ(must(Digest::parse_hex(kAbc)), digest);
}

TEST(Digest, RefusesEverythingElse) {
  const std::string good = std::string("sha256:") + kAbc;
  const std::string bad[] = {
      "",
      "sha256:",
      kAbc,                                       // no algorithm
      good.substr(0, good.size() - 1),            // 63 digits
      good + "0",                                 // 65 digits
      good + "00",                                // 66 digits
      "SHA256:" + std::string(kAbc),              // upper-case algorithm
      "sha256:" + std::string(64, 'A'),           // upper-case digits
      "sha256:" + std::string(64, 'g'),           // not digits
      "sha256:" + std::string(kAbc) + "/../../",  // a path
      good + std::string(1, '\0'),
      "sha256-" + std::string(kAbc),
      " " + good,
  };
  for (const std::string& text : bad) {
    const auto parsed = Digest::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), Code::corrupt) << text;
  }
}

TEST(Digest, OtherRegisteredAlgorithmsAreUnsupported) {
  const auto parsed = Digest::parse("sha512:" + std::string(128, '0'));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code(), Code::unsupported);
}

TEST(Digest, LongHostileTextIsNotEchoedWhole) {
  const auto parsed = Digest::parse(std::string(1 << 20, 'x'));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_LT(parsed.error().what().size(), 300U);
}

TEST(Digest, ComparesAndHashes) {
  const Digest a = sha256("a"), b = sha256("b");
  EXPECT_EQ(a < b, a.hex() < b.hex());
  const std::unordered_set<Digest> set = {a, b, a};
  EXPECT_EQ(set.size(), 2U);
}

// RFC 4231, test cases 1, 2 and 6 (a key longer than the block).
TEST(Hmac, MatchesThePublishedExamples) {
  const Bytes key1(20, std::byte{0x0b});
  EXPECT_EQ(hmac_sha256(key1, as_bytes("Hi There")).hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const Bytes key6(131, std::byte{0xaa});
  EXPECT_EQ(
      hmac_sha256(key6, as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")).hex(),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(ConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

TEST(Random, GivesWhatWasAskedForAndNeverTheSame) {
  const Bytes a = must(random_bytes(32)), b = must(random_bytes(32));
  EXPECT_EQ(a.size(), 32U);
  EXPECT_NE(a, b);
  EXPECT_TRUE(must(random_bytes(0)).empty());
}

}  // namespace
}  // namespace cloister
