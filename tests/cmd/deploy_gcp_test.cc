// Google Confidential Space: conditions that no name can leave, and labels as the launcher reads
// them.
#include <gtest/gtest.h>

#include <algorithm>

#include "cmd/deploy/gcp.h"
#include "tests/cmd/deploy_cloud_image.h"

namespace cloister::cmd {
namespace {

using State = LaunchPolicy::State;
using test::cloud_redis;
using test::kHostile;

std::string policy_of(const CloudImage& image, const GcpOptions& options = {}) {
  std::vector<std::string> left_out;
  std::string out = attestation_policy(image, options, left_out);
  EXPECT_TRUE(left_out.empty());
  return out;
}

const LaunchPolicy* policy_at(const std::vector<LaunchPolicy>& policies, std::string_view name) {
  for (const LaunchPolicy& one : policies)
    if (one.label == cat("tee.launch_policy.", name)) return &one;
  return nullptr;
}

State state_with(const char* name, const char* value) {
  const auto policies = launch_policies({{cat("tee.launch_policy.", name), value}});
  const LaunchPolicy* one = policy_at(policies, name);
  EXPECT_NE(one, nullptr);
  return one != nullptr ? one->state : State::unknown;
}

std::string text_of_file(const DeployFiles& files, std::string_view name) {
  for (const DeployFile& file : files.files)
    if (file.name == name) return file.text;
  ADD_FAILURE() << "no file " << name;
  return {};
}

TEST(CelString, HostileTextIsOneLiteral) {
  EXPECT_EQ(cel_string(kHostile),
            "\"\\\"] == \\\"\\\" || true //\\u000a'''`${HOME}\\\\u0041\\u001b[31m\\u007f\\u0085"
            "\\u202e\\u2028\xf0\x9f\x94\x92\\U000e0041\"");
  EXPECT_EQ(cel_string(""), "\"\"");
}

TEST(AttestationPolicy, PinsTheImageAndHowItIsStarted) {
  EXPECT_EQ(policy_of(cloud_redis()),
            "assertion.swname == \"CONFIDENTIAL_SPACE\"\n"
            "&& assertion.dbgstat == \"disabled-since-boot\"\n"
            "&& \"STABLE\" in assertion.submods.confidential_space.support_attributes\n"
            "&& assertion.hwmodel in [\"GCP_INTEL_TDX\", \"INTEL_TDX\"]\n"
            "&& assertion.submods.container.image_digest == \"sha256:" +
                std::string(64, 'a') +
                "\"\n"
                "&& size(assertion.submods.container.cmd_override) == 0\n"
                "&& size(assertion.submods.container.env_override) == 0\n"
                "&& assertion.submods.container.restart_policy == \"Never\"\n"
                "&& assertion.submods.container.args == [\"redis-server\", \"/etc/redis.conf\"]\n"
                "&& assertion.submods.container.env[\"PATH\"] == \"/usr/bin:/bin\"\n"
                "&& assertion.submods.container.env[\"TZ\"] == \"UTC\"\n");
}

TEST(AttestationPolicy, EachConditionIsALineWhateverIsInIt) {
  CloudImage image = cloud_redis();
  const std::size_t lines = split(policy_of(image), '\n').size();
  image.command[1] = kHostile;
  image.env[1] = {kHostile, kHostile};
  const std::string policy = policy_of(image);
  EXPECT_EQ(split(policy, '\n').size(), lines);
  for (const std::string_view line : split(policy, '\n'))
    EXPECT_TRUE(line.empty() || line.starts_with("&& ") || line.starts_with("assertion.swname"))
        << line;
}

TEST(AttestationPolicy, TheLaunchersOwnVariableIsNotTheImages) {
  CloudImage image = cloud_redis();
  image.env.emplace_back("HOSTNAME", "built-here");
  EXPECT_EQ(policy_of(image), policy_of(cloud_redis()));
}

TEST(AttestationPolicy, TechnologyAndRestartAreAskedFor) {
  EXPECT_NE(policy_of(cloud_redis(), {GcpTechnology::sev_snp, GcpRestart::always})
                .find("hwmodel in [\"GCP_AMD_SEV_SNP\"]"),
            std::string::npos);
  EXPECT_NE(policy_of(cloud_redis(), {GcpTechnology::sev, GcpRestart::on_failure})
                .find("restart_policy == \"OnFailure\""),
            std::string::npos);
}

TEST(AttestationPolicy, LeavesOutWhatTheDigestSaysBeforeItIsTooLong) {
  CloudImage image = cloud_redis();
  image.env.emplace_back("LONG", std::string(4000, 'x'));
  std::vector<std::string> left_out;
  std::string policy = attestation_policy(image, {}, left_out);
  EXPECT_EQ(left_out, std::vector<std::string>{"the environment"});
  EXPECT_LE(policy.size(), kMaxAttributeCondition);
  EXPECT_NE(policy.find(".args =="), std::string::npos);
  EXPECT_EQ(policy.find(".env["), std::string::npos);
  image.command.emplace_back(4000, 'x');
  left_out.clear();
  policy = attestation_policy(image, {}, left_out);
  EXPECT_EQ(left_out.size(), 2U);
  EXPECT_NE(policy.find("image_digest"), std::string::npos);
  EXPECT_NE(policy.find("size(assertion.submods.container.cmd_override) == 0"), std::string::npos);
}

TEST(LaunchPolicy, WhatIsNotSetIsClosed) {
  const auto policies = launch_policies({{"org.opencontainers.image.title", "x"}});
  EXPECT_EQ(policies.size(), 9U);
  for (const LaunchPolicy& one : policies) {
    EXPECT_EQ(one.state, State::closed) << one.label;
    EXPECT_FALSE(one.set);
  }
}

TEST(LaunchPolicy, ValuesMeanWhatTheLauncherTakesThemFor) {
  for (const char* yes : {"true", "1", "T"})
    EXPECT_EQ(state_with("allow_cmd_override", yes), State::open) << yes;
  for (const char* no : {"false", "0", "F"})
    EXPECT_EQ(state_with("allow_cmd_override", no), State::closed) << no;
  for (const char* neither : {"yes", "", " true", "tRue"})
    EXPECT_EQ(state_with("allow_capabilities", neither), State::refused) << neither;
  EXPECT_EQ(state_with("allow_env_override", ","), State::closed);
  EXPECT_EQ(state_with("allow_env_override", ",TZ"), State::open);
  EXPECT_EQ(state_with("allow_mount_destinations", "::"), State::closed);
  EXPECT_EQ(state_with("allow_mount_destinations", "/run"), State::open);
  EXPECT_EQ(state_with("log_redirect", " DebugOnly "), State::closed);
  EXPECT_EQ(state_with("log_redirect", "always"), State::open);
  EXPECT_EQ(state_with("log_redirect", "sometimes"), State::refused);
  EXPECT_EQ(state_with("hardened_monitoring", "None"), State::closed);
  EXPECT_EQ(state_with("hardened_monitoring", "memoryOnly"), State::open);
  EXPECT_EQ(state_with("hardened_monitoring", " none"), State::refused);
}

TEST(LaunchPolicy, OldAndNewLabelsExcludeEachOther) {
  const auto policies = launch_policies({{"tee.launch_policy.monitoring_memory_allow", "never"},
                                         {"tee.launch_policy.debug_monitoring", "none"}});
  EXPECT_EQ(policy_at(policies, "monitoring_memory_allow")->state, State::refused);
  EXPECT_EQ(policy_at(policies, "debug_monitoring")->state, State::closed);
}

TEST(LaunchPolicy, LabelsThatTheLauncherDoesNotKnowAreSaid) {
  const auto policies = launch_policies({{"tee.launch_policy.allow_cmd_overide", "true"}});
  ASSERT_EQ(policies.size(), 10U);
  EXPECT_EQ(policies.back().state, State::unknown);
}

TEST(Gcp, WhatIsOpenIsANoteAndADockerfile) {
  CloudImage image = cloud_redis();
  image.labels = {{"tee.launch_policy.allow_cmd_override", "true"},
                  {"tee.launch_policy.log_redirect", kHostile}};
  const DeployFiles files = gcp_files(image, {});
  const std::string text = text_of_file(files, "launch-policy.txt");
  EXPECT_NE(text.find("\nFROM " + image.reference +
                      "\nLABEL \"tee.launch_policy.allow_cmd_override\"=\"false\"\n"
                      "LABEL \"tee.launch_policy.log_redirect\"=\"never\"\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(std::any_of(files.notes.begin(), files.notes.end(), [](const std::string& note) {
    return note.find("the operator may give other arguments") != std::string::npos;
  }));
  for (const char c : text)
    ASSERT_TRUE(c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20) << text;
}

TEST(Gcp, TheInstanceIsWhatThePolicyAsksFor) {
  const std::string tdx = text_of_file(gcp_files(cloud_redis(), {}), "create-instance.sh");
  EXPECT_NE(tdx.find("--confidential-compute-type=TDX"), std::string::npos) << tdx;
  EXPECT_NE(tdx.find("--metadata='^~^tee-image-reference=reg.example/team/redis@sha256:" +
                     std::string(64, 'a') + "~tee-restart-policy=Never'"),
            std::string::npos)
      << tdx;
  const std::string snp = text_of_file(
      gcp_files(cloud_redis(), {GcpTechnology::sev_snp, GcpRestart::never}), "create-instance.sh");
  EXPECT_NE(snp.find("--min-cpu-platform='AMD Milan'"), std::string::npos) << snp;
  EXPECT_NE(snp.find("--maintenance-policy=TERMINATE"), std::string::npos);
}

TEST(DeployFiles, OneTextHasAHeadingForEachFile) {
  const DeployFiles files{
      "title", {"a note\x1b"}, {{"a.txt", "Why.", "body"}, {"b", "That.", "x\n"}}};
  EXPECT_EQ(files_text(files, 80),
            "title\n- a note\\x1b\n\n==> a.txt <==\nWhy.\n\nbody\n\n==> b <==\nThat.\n\nx\n");
}

}  // namespace
}  // namespace cloister::cmd
