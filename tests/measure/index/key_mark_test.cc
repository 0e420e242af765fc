#include "measure/index/key_mark.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure {
namespace {

bool marks(const std::string& text, std::size_t piece = 1 << 20) {
  KeyMark mark;
  mark.begin(text.size());
  for (std::size_t at = 0; at < text.size(); at += piece)
    mark.piece(as_bytes(text).subspan(at, std::min(piece, text.size() - at)));
  return mark.marked();
}

TEST(KeyMark, SeesWhatPemSaysAcrossPieces) {
  const std::string text = "x = '''\n-----BEGIN RSA PRIVATE KEY-----\nMIIE";
  for (std::size_t piece = 1; piece <= text.size(); ++piece)
    EXPECT_TRUE(marks(text, piece)) << piece;
  EXPECT_TRUE(marks(std::string(900000, '\n') + text, 1000));
  for (const char* other :
       {"", "PRIVATE KEY", "-----BEGIN PUBLIC KEY-----", "PRIVATE KEY----", "PRIVATE KEY --- --"})
    EXPECT_FALSE(marks(other)) << other;
}

TEST(KeyMark, ForgetsTheFormerFile) {
  KeyMark mark;
  mark.begin(11);
  mark.piece(as_bytes("PRIVATE KEY"));
  mark.begin(5);
  mark.piece(as_bytes("-----"));
  EXPECT_FALSE(mark.marked());
}

TEST(KeyMark, SeesTheShapeOfDer) {
  std::string der("\x30\x82\x06\xfe", 4);
  der.resize(4 + 0x6fe, 'x');
  EXPECT_TRUE(marks(der));
  EXPECT_TRUE(marks(der, 300));
  EXPECT_FALSE(marks(der + "x"));
  std::string large("\x30\x82\x7f\xff", 4);
  large.resize(4 + 0x7fff, 'x');
  EXPECT_FALSE(marks(large));
  EXPECT_FALSE(marks(std::string("\x30\x82\x00\x04xxxx", 8)));
}

TEST(KeyMark, LooksAtNoLargeFile) {
  std::string text(kMaxKeyFile, 'x');
  text.replace(0, 20, "PRIVATE KEY-----xxxx");
  EXPECT_TRUE(marks(text));
  EXPECT_FALSE(marks(text + "x"));
}

}  // namespace
}  // namespace cloister::measure
