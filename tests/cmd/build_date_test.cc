#include "cmd/build_date.h"

#include <gtest/gtest.h>

namespace cloister::cmd {
namespace {

constexpr Seconds kBase{std::chrono::seconds(1700000000)};

TEST(BuildDate, OptionBeatsEnvironmentBeatsBase) {
  Environment env;
  EXPECT_EQ(*build_date("", env, kBase), kBase);
  EXPECT_EQ(*build_date("", env, std::nullopt), Seconds{});
  env.variables["SOURCE_DATE_EPOCH"] = "86400";
  EXPECT_EQ(*build_date("", env, kBase), Seconds(std::chrono::days(1)));
  EXPECT_EQ(format_rfc3339(*build_date("2024-01-02", env, kBase)), "2024-01-02T00:00:00Z");
  EXPECT_EQ(format_rfc3339(*build_date("2024-01-02T03:04:05+01:00", env, kBase)),
            "2024-01-02T02:04:05Z");
}

TEST(BuildDate, RefusesAnEpochThatIsNoNumber) {
  Environment env;
  for (const char* bad : {"-1", "1e9", "99999999999999", " 1"}) {
    env.variables["SOURCE_DATE_EPOCH"] = bad;
    const auto date = build_date("", env, kBase);
    ASSERT_FALSE(date.has_value()) << bad;
    EXPECT_EQ(date.error().code(), Code::usage);
  }
}

}  // namespace
}  // namespace cloister::cmd
