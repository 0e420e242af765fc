#include "base/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/base/must.h"
#include "tests/base/pieces_source.h"

namespace cloister {
namespace {

constexpr std::uint64_t kPlenty = 1 << 20;

TEST(MemorySource, GivesAllAndThenTheEndForEver) {
  MemorySource source(as_bytes("hello"));
  EXPECT_EQ(as_text(must(read_all(source, kPlenty, "it"))), "hello");
  Bytes buffer(4);
  EXPECT_EQ(must(source.read(buffer)), 0U);
  EXPECT_EQ(must(source.read(buffer)), 0U);
}

TEST(ReadFull, FillsAcrossShortReads) {
  const Bytes bytes = to_bytes("abcdefg");
  PiecesSource source(bytes, 2);
  Bytes buffer(5);
  EXPECT_EQ(must(read_full(source, buffer)), 5U);
  EXPECT_EQ(as_text(buffer), "abcde");
  EXPECT_EQ(must(read_full(source, buffer)), 2U);
  EXPECT_EQ(must(read_full(source, buffer)), 0U);
}

TEST(ReadAll, HoldsExactlyTheLimit) {
  const Bytes bytes(10000, std::byte{7});
  PiecesSource fits(bytes, 999);
  EXPECT_EQ(must(read_all(fits, 10000, "it")), bytes);
  // What is expected decides nothing.
  for (const std::uint64_t expected : {1U, 10000U, 20000U}) {
    PiecesSource again(bytes, 999);
    EXPECT_EQ(must(read_all(again, 10000, "it", expected)), bytes);
  }
  PiecesSource over(bytes, 999);
  const auto refused = read_all(over, 9999, "it");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::limit);
  EXPECT_NE(refused.error().what().find("it is larger than"), std::string::npos);
}

TEST(ReadAll, PassesOnTheErrorOfItsSource) {
  PiecesSource source(as_bytes("abc"), 2, Error::unavailable("gone"));
  EXPECT_EQ(read_all(source, kPlenty, "it").error().code(), Code::unavailable);
}

TEST(Drain, CountsWhatItDrops) {
  const Bytes bytes(700000, std::byte{1});
  PiecesSource source(bytes, 4099);
  EXPECT_EQ(must(drain(source)), bytes.size());
}

struct Verified {
  std::string content;
  std::optional<Error> error;
};

Verified verify(std::string_view sent, std::string_view expected, std::uint64_t size) {
  PiecesSource inner(as_bytes(sent), 3);
  VerifySource source(inner, sha256(expected), size, "blob");
  Verified out;
  Bytes buffer(2);
  for (;;) {
    auto n = source.read(buffer);
    if (!n.has_value()) {
      out.error = std::move(n).error();
      return out;
    }
    if (*n == 0) return out;
    out.content += as_text(ByteView(buffer).first(*n));
  }
}

TEST(VerifySource, PassesTheRightBytes) {
  const Verified v = verify("the bytes", "the bytes", 9);
  EXPECT_FALSE(v.error.has_value());
  EXPECT_EQ(v.content, "the bytes");
  EXPECT_FALSE(verify("", "", 0).error.has_value());
}

TEST(VerifySource, StaysAtItsEnd) {
  MemorySource inner(as_bytes("the bytes"));
  VerifySource source(inner, sha256("the bytes"), 9, "blob");
  Bytes buffer(100);
  EXPECT_EQ(must(source.read(buffer)), 9U);
  EXPECT_EQ(must(source.read(buffer)), 0U);
  EXPECT_EQ(must(source.read(buffer)), 0U);
}

TEST(VerifySource, RefusesOtherBytesOfTheSameLength) {
  const Verified v = verify("the bytez", "the bytes", 9);
  ASSERT_TRUE(v.error.has_value());
  EXPECT_EQ(v.error->code(), Code::corrupt);
  EXPECT_EQ(v.error->what(), "blob does not match its digest");
  ASSERT_EQ(v.error->details().size(), 1U);
  EXPECT_NE(v.error->details()[0].find(sha256("the bytez").str()), std::string::npos);
  EXPECT_NE(v.error->details()[0].find(sha256("the bytes").str()), std::string::npos);
  EXPECT_FALSE(v.error->hint().empty());
}

TEST(VerifySource, RefusesAShortStream) {
  const Verified v = verify("the byte", "the bytes", 9);
  ASSERT_TRUE(v.error.has_value());
  EXPECT_EQ(v.error->what(), "blob is truncated");
}

TEST(VerifySource, RefusesALongStreamBeforeItsEnd) {
  const Verified v = verify(std::string(100, 'x'), "xxxx", 4);
  ASSERT_TRUE(v.error.has_value());
  EXPECT_EQ(v.error->code(), Code::corrupt);
  EXPECT_LE(v.content.size(), 4U);  // never more than was promised
}

TEST(HashSource, SeesWhatPasses) {
  Sha256 hasher;
  PiecesSource inner(as_bytes("abc"), 1);
  HashSource source(inner, hasher);
  EXPECT_EQ(must(drain(source)), 3U);
  EXPECT_EQ(hasher.finish(), sha256("abc"));
}

TEST(LimitSource, AllowsExactlyTheLimit) {
  PiecesSource inner(as_bytes("abcd"), 3);
  LimitSource fits(inner, 4, "entry");
  EXPECT_EQ(must(drain(fits)), 4U);
  PiecesSource more(as_bytes("abcde"), 3);
  LimitSource over(more, 4, "entry");
  const auto refused = drain(over);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::limit);
}

TEST(MeterSource, CountsAndStopsWhenCancelled) {
  std::atomic<bool> flag{false};
  std::size_t seen = 0;
  PiecesSource inner(as_bytes("abcdef"), 2);
  MeterSource source(
      inner,
      [&](std::size_t n) {
        seen += n;
        if (seen == 4) flag = true;
      },
      CancelToken(&flag));
  const auto stopped = drain(source);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code(), Code::cancelled);
  EXPECT_EQ(seen, 4U);
}

TEST(CancelToken, DefaultIsNeverCancelled) {
  EXPECT_FALSE(CancelToken().cancelled());
  EXPECT_TRUE(CancelToken().check().has_value());
}

}  // namespace
}  // namespace cloister
