#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cmd/moving_name.h"
#include "cmd/report/outdated.h"

namespace cloister::cmd {
namespace {

TEST(MovingName, IsANameWithATagThatSomebodyGave) {
  const auto name = moving_name("docker.io/library/redis:7");
  ASSERT_TRUE(name.has_value() && name->has_value());
  EXPECT_EQ((*name)->str(), "docker.io/library/redis:7");
  for (const char* uri : {"", "docker.io/library/redis", "localhost:5000/latest"}) {
    const auto none = moving_name(uri);
    ASSERT_TRUE(none.has_value()) << uri;
    EXPECT_FALSE(none->has_value()) << uri;
  }
  ASSERT_FALSE(moving_name("Not A Name").has_value());
  EXPECT_EQ(moving_name("Not A Name").error().code(), Code::corrupt);
}

OutdatedReport report_with(InputState state) {
  OutdatedReport out;
  out.subject = "x";
  out.inputs = {{"base", "reg.example/a\x1b[31m:1", "sha256:0", "", state}};
  out.runtime_name = "gramine";
  out.runtime_version = "1.6";
  return out;
}

TEST(Outdated, IsWhatIsNewerOrHasAnAdvisoryNobodyAccepted) {
  EXPECT_TRUE(is_outdated(report_with(InputState::newer)));
  for (const InputState state : {InputState::current, InputState::unnamed, InputState::unasked}) {
    OutdatedReport report = report_with(state);
    EXPECT_FALSE(is_outdated(report));
    manifest::Advisory advisory;
    advisory.id = "a";
    report.advisories = {advisory};
    EXPECT_TRUE(is_outdated(report));
    report.accepted = {"a"};
    EXPECT_FALSE(is_outdated(report));
    EXPECT_EQ(Json::parse(outdated_json(report))["advisories"][0]["accepted"], true);
  }
}

TEST(Outdated, NamesDoNothingToTheTerminal) {
  EXPECT_EQ(outdated_text(report_with(InputState::newer)).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cloister::cmd
