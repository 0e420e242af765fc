#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace cloister {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Cat, JoinsStringsCharactersAndIntegers) {
  EXPECT_EQ(cat("a", 'b', 3, -4LL, std::string("c"), UINT64_MAX), "ab3-4c18446744073709551615");
  EXPECT_EQ(cat(), "");
}

TEST(Hex, GoesBothWays) {
  const Bytes bytes = {std::byte{0x00}, std::byte{0xab}, std::byte{0xff}};
  EXPECT_EQ(hex(std::span<const std::byte>(bytes)), "00abff");
  EXPECT_EQ(unhex("00aBfF").value(), bytes);
  EXPECT_TRUE(unhex("")->empty());
  for (const char* bad : {"0", "0g", "g0", " 00", "00 ", "0x00"}) EXPECT_FALSE(unhex(bad)) << bad;
  EXPECT_EQ(hex_number(0), "0x0");
  EXPECT_EQ(hex_number(UINT64_MAX), "0xffffffffffffffff");
}

TEST(Base64, MatchesThePublishedExamples) {  // RFC 4648, section 10
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : examples) {
    EXPECT_EQ(base64(as_bytes(plain)), coded);
    EXPECT_EQ(as_text(*unbase64(coded)), plain);
  }
  EXPECT_EQ(as_text(*unbase64("Zm8")), "fo");  // padding is optional
  EXPECT_EQ(base64(Bytes{std::byte{0xfb}, std::byte{0xff}}), "+/8=");
}

TEST(Base64, RefusesWhatIsMalformed) {
  for (const char* bad : {"Z", "Zg=", "Zg===", "Zg==Zg==", "=Zg=", "Z g=", "Zg==\n",
                          "Zh==", "Zm9=", "_-==", "====", "A==="})
    EXPECT_FALSE(unbase64(bad)) << bad;
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a:b::", ':'), (Parts{"a", "b", "", ""}));
  EXPECT_EQ(split("", ':'), (Parts{""}));
}

TEST(Trim, TakesBlanksAtBothEndsOnly) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Ascii, ComparesWithoutCase) {
  EXPECT_EQ(lower_ascii("AbC\xc3\x84"), "abc\xc3\x84");
  EXPECT_TRUE(iequals_ascii("Content-TYPE", "content-type"));
  EXPECT_FALSE(iequals_ascii("a", "ab"));
}

TEST(Join, PutsSeparatorsBetween) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
}

TEST(ParseU64, TakesDigitsAndNothingElse) {
  EXPECT_EQ(parse_u64("0"), 0U);
  EXPECT_EQ(parse_u64("007"), 7U);
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1a", "0x10", "18446744073709551616", "1.0"})
    EXPECT_FALSE(parse_u64(bad)) << bad;
}

TEST(Utf8, AcceptsExactlyTheWellFormed) {  // Unicode 15, table 3-7
  for (const char* good : {"", "ascii", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf",
                          "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
}

TEST(Printable, ShowsWhatIsDrawnAsNothing) {
  for (const char32_t c : {0x00ad, 0x061c, 0x200b, 0x200d, 0x2028, 0x2060, 0xfe0f, 0xfeff, 0xe0041})
    EXPECT_TRUE(is_unseen(c)) << static_cast<std::uint32_t>(c);
  for (const char32_t c : {0x20, 0x7e, 0xa0, 0xe9, 0x20ac, 0x1f600})
    EXPECT_FALSE(is_unseen(c)) << static_cast<std::uint32_t>(c);
  EXPECT_EQ(printable("a\xe2\x80\x8b"
                      "b"),
            "a\\xe2\\x80\\x8bb");
}

TEST(CodePoint, IsReadWhereItBeginsAndABrokenByteStandsForItself) {
  const std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xe2\x82";
  const std::pair<char32_t, std::size_t> want[] = {{'a', 1},  {0xe9, 2}, {0x20ac, 3}, {0x1f600, 4},
                                                   {0xff, 1}, {0xe2, 1}, {0x82, 1}};
  std::size_t at = 0;
  for (const auto& [value, length] : want) {
    const CodePoint c = code_point_at(text, at);
    EXPECT_EQ(c.value, value) << at;
    EXPECT_EQ(c.length, length) << at;
    at += c.length;
  }
  EXPECT_EQ(at, text.size());
}

TEST(PercentEncoded, KeepsUnreservedCharactersAndWhatIsAskedFor) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("a/b c\xc3\xa9%"), "a%2Fb%20c%C3%A9%25");
  EXPECT_EQ(percent_encoded("a/b c", "/"), "a/b%20c");
}

TEST(Printable, NeutralisesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("line\nline\r\t"), "line\\x0aline\\x0d\\x09");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // C1: CSI in one character
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xaeb");                           // right-to-left override
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");  // isolate
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("back\\slash"),
            "back\\\\slash");  // so that \x1b in a name is not taken for ours
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac"),
            "gr\xc3\xbc\xc3\x9f"
            "e \xe2\x82\xac");
}

TEST(Quote, WrapsInSingleQuotes) {
  EXPECT_EQ(quote("a\nb"), "'a\\x0ab'");
}

TEST(HumanBytes, RoundsForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(256ULL << 20), "256.0 MiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
}

}  // namespace
}  // namespace cloister
