#include "base/time.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"

namespace cloister {
namespace {

std::int64_t seconds(std::string_view text) {
  return must(parse_rfc3339(text)).time_since_epoch().count();
}

TEST(Rfc3339, ReadsWhatImagesCarry) {
  EXPECT_EQ(seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(seconds("2023-11-14T22:13:20Z"), 1700000000);
  EXPECT_EQ(seconds("2023-11-14T22:13:20.987654321Z"), 1700000000);
  EXPECT_EQ(seconds("2023-11-15T00:13:20+02:00"), 1700000000);
  EXPECT_EQ(seconds("2023-11-14T16:43:20-05:30"), 1700000000);
  EXPECT_EQ(seconds("2023-11-14t22:13:20z"), 1700000000);
  EXPECT_EQ(seconds("2024-02-29T00:00:00Z"), 1709164800);
  EXPECT_EQ(seconds("0001-01-01T00:00:00Z"), -62135596800);  // what Go writes for "never"
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text :
       {"", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z", "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:61Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+0200",
        "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20Z ", "23-11-14T22:13:20Z",
        "-023-11-14T22:13:20Z", "2023-1-14T22:13:20Z"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), Code::corrupt) << text;
  }
}

TEST(Rfc3339, WritesUtcInWholeSeconds) {
  EXPECT_EQ(format_rfc3339(Seconds(std::chrono::seconds(1700000000))), "2023-11-14T22:13:20Z");
  EXPECT_EQ(format_rfc3339(Seconds(std::chrono::seconds(-1))), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(must(parse_rfc3339("0001-01-01T00:00:00Z"))), "0001-01-01T00:00:00Z");
}

TEST(Date, GoesBothWays) {
  EXPECT_EQ(format_date(must(parse_date("2024-02-29"))), "2024-02-29");
  for (const char* text : {"", "2024-2-29", "2023-02-29", "2024-02-29T00:00:00Z", "20240229",
                           "2024-00-01", "2024-01-00"}) {
    const auto parsed = parse_date(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid) << text;
    EXPECT_FALSE(parsed.error().hint().empty());
  }
}

}  // namespace
}  // namespace cloister
