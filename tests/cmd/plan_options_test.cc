#include "cmd/plan_options.h"

#include <gtest/gtest.h>

namespace cloister::cmd {
namespace {

TEST(PlanOptions, ReadsVolumes) {
  PlanArguments a;
  a.volumes = {"/data=tmpfs", "/secret=encrypted", "/own/=encrypted:mykey", "/log=allowed"};
  const auto plan = to_plan_options(a, {});
  ASSERT_TRUE(plan.has_value());
  const auto& volumes = plan->manifest.volumes;
  ASSERT_EQ(volumes.size(), 4U);
  EXPECT_EQ(volumes[1].key_name, "_sgx_mrenclave");
  EXPECT_EQ(volumes[2].path, "/own");
  EXPECT_EQ(volumes[2].key_name, "mykey");
  EXPECT_EQ(volumes[3].kind, manifest::Volume::Kind::allowed);
}

TEST(PlanOptions, RefusesMalformedWords) {
  for (const char* volume : {"/data", "data=tmpfs", "/data=disk", "/data=encrypted:"}) {
    PlanArguments a;
    a.volumes = {volume};
    const auto plan = to_plan_options(a, {});
    ASSERT_FALSE(plan.has_value()) << volume;
    EXPECT_EQ(plan.error().code(), Code::usage);
  }
  for (const char* env : {"NAME", "=value"}) {
    PlanArguments a;
    a.env = {env};
    EXPECT_FALSE(to_plan_options(a, {}).has_value()) << env;
  }
}

TEST(PlanOptions, KeepsValuesWithEqualSigns) {
  PlanArguments a;
  a.env = {"OPTS=a=b=c", "EMPTY="};
  const auto plan = to_plan_options(a, {});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->launch.env[0], (std::pair<std::string, std::string>("OPTS", "a=b=c")));
  EXPECT_EQ(plan->launch.env[1].second, "");
}

TEST(PlanOptions, NamesAnOverlayThatIsNotThere) {
  PlanArguments a;
  a.manifest_file = "/nonexistent/overlay.toml";
  const auto plan = to_plan_options(a, {});
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().what().find("/nonexistent/overlay.toml"), std::string::npos);
}

}  // namespace
}  // namespace cloister::cmd
