// The compressed inputs are made by zlib and libzstd here: the inflater is checked against other
// code than its own. Stored and tiny deflate blocks are spelled out where the edge is a byte.
#include "base/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <string>

#include "base/text.h"
#include "tests/base/gzip.h"
#include "tests/base/must.h"
#include "tests/base/pieces_source.h"

namespace cloister {
namespace {

Bytes zstd(std::string_view text) {
  Bytes out(ZSTD_compressBound(text.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Inflated {
  std::string text;
  std::string error;  // its message; empty on success
};

Inflated inflate(Compression compression, const Bytes& bytes, std::size_t piece = 1 << 20,
                 std::size_t room = 1 << 16) {
  PiecesSource inner(bytes, piece);
  auto source = make_inflater(compression, inner);
  Inflated out;
  Bytes buffer(room);
  for (;;) {
    auto n = source->read(buffer);
    if (!n.has_value()) {
      EXPECT_EQ(n.error().code(), Code::corrupt);
      out.error = n.error().what();
      return out;
    }
    if (*n == 0) break;
    out.text += as_text(ByteView(buffer).first(*n));
  }
  EXPECT_EQ(must(source->read(buffer)), 0U);  // the end stays the end
  return out;
}

// Compressible and incompressible stretches, several blocks long.
std::string sample() {
  std::mt19937 random(7);
  std::string text;
  for (int block = 0; block < 40; ++block) {
    if (block % 3 == 0) {
      for (int i = 0; i < 5000; ++i) text += static_cast<char>(random());
    } else {
      for (int i = 0; i < 500; ++i) text += cat("line ", random() % 1000, " of the file\n");
    }
  }
  return text;
}

TEST(Compression, IsKnownByItsFirstBytes) {
  EXPECT_EQ(detect_compression(gzip("x")), Compression::gzip);
  EXPECT_EQ(detect_compression(zstd("x")), Compression::zstd);
  EXPECT_EQ(detect_compression(as_bytes("\x5a\x2a\x4d\x18....")), Compression::zstd);  // skippable
  EXPECT_EQ(detect_compression(as_bytes("\x1f")), Compression::none);
  EXPECT_EQ(detect_compression(as_bytes("\x28\xb5\x2f")), Compression::none);
  EXPECT_EQ(detect_compression(as_bytes("ustar")), Compression::none);
  EXPECT_EQ(detect_compression({}), Compression::none);
}

TEST(Gunzip, GivesBackWhatZlibCompressed) {
  const std::string text = sample();
  for (int level : {0, 1, 6, 9}) {
    const Inflated got = inflate(Compression::gzip, gzip(text, level));
    EXPECT_EQ(got.error, "");
    EXPECT_TRUE(got.text == text) << "level " << level;
  }
}

TEST(Gunzip, DoesNotCareHowTheBytesArrive) {
  const std::string text = sample().substr(0, 30000);
  const Bytes bytes = gzip(text) + gzip("") + gzip("tail");
  for (std::size_t piece : {1, 2, 3, 7, 8, 9, 4096}) {
    for (std::size_t room : {1, 3, 4096}) {
      const Inflated got = inflate(Compression::gzip, bytes, piece, room);
      EXPECT_EQ(got.error, "") << piece << " " << room;
      EXPECT_TRUE(got.text == text + "tail") << piece << " " << room;
    }
  }
}

TEST(Gunzip, SeveralMembersAreOneStream) {
  Bytes bytes;
  std::string want;
  for (int i = 0; i < 200; ++i) {
    bytes = bytes + gzip(cat("member ", i, ";"));
    want += cat("member ", i, ";");
  }
  EXPECT_EQ(inflate(Compression::gzip, bytes).text, want);
}

TEST(Gunzip, OptionalHeaderFieldsAreSkipped) {
  // RFC 1952, 2.3: FEXTRA | FNAME | FCOMMENT; then one stored block.
  const Bytes plain = gzip("named");
  Bytes bytes = to_bytes(std::string("\x1f\x8b\x08\x1c\0\0\0\0\0\x03", 10));
  bytes = bytes + to_bytes(std::string("\x04\0abcd", 6)) + to_bytes(std::string("name\0", 5)) +
          to_bytes(std::string("comment\0", 8));
  bytes.insert(bytes.end(), plain.begin() + 10, plain.end());
  for (std::size_t piece : {1, 5, 100})
    EXPECT_EQ(inflate(Compression::gzip, bytes, piece).text, "named");
}

TEST(Gunzip, ZeroPaddingIsAcceptedGarbageIsNot) {
  const Bytes good = gzip("data");
  EXPECT_EQ(inflate(Compression::gzip, good + Bytes(1)).error, "");
  EXPECT_EQ(inflate(Compression::gzip, good + Bytes(100000), 1000).text, "data");
  EXPECT_EQ(inflate(Compression::gzip, good + to_bytes("x")).error, "garbage after the gzip data");
  EXPECT_EQ(inflate(Compression::gzip, good + Bytes(512) + to_bytes("x"), 1).error,
            "garbage after the gzip data");
  EXPECT_EQ(inflate(Compression::gzip, good + Bytes(3) + gzip("hidden")).error,
            "garbage after the gzip data");
}

TEST(Gunzip, TruncationAnywhereIsFound) {
  const Bytes good = gzip("some text that is long enough to have a few bytes of deflate data");
  for (std::size_t n = 0; n < good.size(); ++n) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
      const Inflated got = inflate(Compression::gzip,
                                   Bytes(good.begin(), good.begin() + static_cast<long>(n)), piece);
      EXPECT_NE(got.error, "") << n << " of " << good.size();
    }
  }
}

TEST(Gunzip, TruncationOfALaterMemberIsFound) {
  const Bytes first = gzip("first"), second = gzip("second");
  for (std::size_t n = 1; n < second.size(); ++n) {
    const Bytes cut(second.begin(), second.begin() + static_cast<long>(n));
    EXPECT_NE(inflate(Compression::gzip, first + cut).error, "") << n;
    EXPECT_NE(inflate(Compression::gzip, first + cut, 1).error, "") << n;
  }
}

TEST(Gunzip, AnyFlippedByteOfTheTrailerIsFound) {
  const Bytes good = gzip("check sums exist for a reason");
  for (std::size_t i = 1; i <= 8; ++i) {
    Bytes bad = good;
    bad[bad.size() - i] ^= std::byte{0x40};
    EXPECT_NE(inflate(Compression::gzip, bad).error, "") << i;
    EXPECT_NE(inflate(Compression::gzip, bad, 1).error, "") << i;
  }
}

TEST(Gunzip, DamagedDataIsFound) {
  const std::string text = sample();
  const Bytes good = gzip(text);
  std::mt19937 random(3);
  for (int i = 0; i < 60; ++i) {
    Bytes bad = good;
    bad[10 + random() % (bad.size() - 10)] ^= std::byte{0x10};
    EXPECT_NE(inflate(Compression::gzip, bad).error, "");
  }
}

TEST(Gunzip, PassesOnTheErrorOfItsSource) {
  const Bytes good = gzip(sample());
  PiecesSource inner(ByteView(good).first(good.size() / 2), 1000, Error::unavailable("gone"));
  auto source = make_inflater(Compression::gzip, inner);
  EXPECT_EQ(drain(*source).error().code(), Code::unavailable);
}

TEST(Zstd, GivesBackWhatLibzstdCompressed) {
  const std::string text = sample();
  for (std::size_t piece : {1000, 1 << 20}) {
    const Inflated got = inflate(Compression::zstd, zstd(text), piece);
    EXPECT_EQ(got.error, "");
    EXPECT_TRUE(got.text == text);
  }
  EXPECT_EQ(inflate(Compression::zstd, zstd("")).error, "");
}

TEST(Zstd, FramesAndSkippableFramesAreOneStream) {
  const Bytes skip = to_bytes(std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11));
  const Bytes bytes = skip + zstd("one ") + skip + zstd("") + zstd("two") + skip;
  for (std::size_t piece : {1, 5, 1000}) {
    const Inflated got = inflate(Compression::zstd, bytes, piece, 2);
    EXPECT_EQ(got.error, "");
    EXPECT_EQ(got.text, "one two");
  }
}

TEST(Zstd, TruncationAndDamageAreFound) {
  const Bytes good = zstd(sample());
  for (std::size_t n :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, good.size() / 2, good.size() - 1}) {
    const Inflated got =
        inflate(Compression::zstd, Bytes(good.begin(), good.begin() + static_cast<long>(n)));
    EXPECT_NE(got.error, "") << n;
  }
  EXPECT_NE(inflate(Compression::zstd, good + to_bytes("garbage")).error, "");
}

TEST(Zstd, AWindowLargerThanTheLimitIsRefused) {
  // RFC 8878, 3.1.1.1.2: window descriptor 0xa0 asks for 2^30 bytes of memory.
  const Bytes bytes = to_bytes(std::string("\x28\xb5\x2f\xfd\x00\xa0\x01\0\0", 9));
  EXPECT_NE(inflate(Compression::zstd, bytes).error, "");
}

TEST(Plain, PassesBytesThrough) {
  EXPECT_EQ(inflate(Compression::none, to_bytes("as it is"), 3).text, "as it is");
}

}  // namespace
}  // namespace cloister
