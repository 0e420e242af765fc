#include "oci/registry/challenge.h"

#include <gtest/gtest.h>

namespace cloister::oci {
namespace {

using Params = std::map<std::string, std::string>;

TEST(Challenge, ReadsWhatRegistriesSend) {
  const auto hub = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/redis:pull")");
  ASSERT_EQ(hub.size(), 1U);
  EXPECT_EQ(hub[0].scheme, "bearer");
  EXPECT_EQ(hub[0].params, (Params{{"realm", "https://auth.docker.io/token"},
                                   {"service", "registry.docker.io"},
                                   {"scope", "repository:library/redis:pull"}}));
  EXPECT_EQ(parse_challenges("BASIC realm=plain")[0].params, (Params{{"realm", "plain"}}));
}

TEST(Challenge, KeepsCommasAndEscapesInsideQuotes) {
  const auto got = parse_challenges(R"(Bearer scope="repository:a:pull,push", realm="a\"b\\c,=")");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].params, (Params{{"scope", "repository:a:pull,push"}, {"realm", R"(a"b\c,=)"}}));
}

TEST(Challenge, SeparatesChallengesFromParameters) {
  const auto got = parse_challenges(
      R"( , Basic realm="a" , Bearer realm="b",x = y, Negotiate, NTLM abc== ,Digest)");
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[0].params, (Params{{"realm", "a"}}));
  EXPECT_EQ(got[1].params, (Params{{"realm", "b"}, {"x", "y"}}));
  EXPECT_EQ(got[2].scheme, "negotiate");
  EXPECT_EQ(got[3].scheme, "ntlm");
  EXPECT_TRUE(got[3].params.empty());
  EXPECT_EQ(got[4].scheme, "digest");
}

TEST(Challenge, TheFirstOfRepeatedParametersCounts) {
  EXPECT_EQ(parse_challenges("Bearer realm=a,REALM=b")[0].params, (Params{{"realm", "a"}}));
}

TEST(Challenge, StopsAtWhatIsNoChallenge) {
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_TRUE(parse_challenges("=").empty());
  EXPECT_TRUE(parse_challenges("\"quoted\"").empty());
  EXPECT_TRUE(parse_challenges(std::string(20 << 10, 'x')).empty());
  // A value whose quote never closes is not believed.
  EXPECT_TRUE(parse_challenges(R"(Bearer realm="https://evil)")[0].params.empty());
  EXPECT_EQ(parse_challenges("Basic realm=a, \x01 Bearer realm=b").size(), 1U);
}

TEST(Challenge, IsBounded) {
  std::string many, wide = "Bearer a=b";
  for (int i = 0; i < 100; ++i) many += "Basic,", wide += ",p" + std::to_string(i) + "=v";
  EXPECT_EQ(parse_challenges(many).size(), 16U);
  EXPECT_EQ(parse_challenges(wide)[0].params.size(), 32U);
}

}  // namespace
}  // namespace cloister::oci
