#include "manifest-gen/audit/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "manifest-gen/audit/advisories.h"

namespace cloister::manifest {
namespace {

std::vector<Finding> findings(std::string_view text) {
  EnclaveManifest manifest;
  manifest.table = *parse_toml(text, Limits{}, "test");
  return manifest_findings(manifest, nullptr);
}

bool has(const std::vector<Finding>& list, std::string_view id, Severity severity) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Finding& f) { return f.id == id && f.severity == severity; });
}

TEST(Rules, IdsAreUnique) {
  std::set<std::string_view> ids;
  for (const Rule& rule : rules()) EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
}

TEST(Rules, ManifestsOfOddShapeAreRead) {
  for (const char* text : {"sgx = 1", "sgx.allowed_files = 1", "sgx.allowed_files = [1, {}]",
                           "loader.env = []", "loader.env.A = 1"})
    (void)findings(text);
}

TEST(ClosureFindings, SecretsAndMissingParts) {
  Closure closure;
  closure.withheld = {"/a.key"};
  closure.unresolved_optional = {{0, "libx.so", "/plugin.so", {}}};
  const auto list = closure_findings(closure);
  EXPECT_TRUE(has(list, kRuleWithheld, Severity::medium));
  EXPECT_TRUE(has(list, kRuleMissingOptional, Severity::low));
}

TEST(ClosureFindings, WhatIsUnknownSaysWhatToDo) {
  Closure closure;
  closure.unknown = {{"/app", "takes a quarter of the memory; set -Xmx, and more"},
                     {"/app", "x; y"}};
  const auto list = closure_findings(closure);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].fix, "set -Xmx, and more");
  EXPECT_EQ(list[1].fix, "try the program, and --include what it misses");
}

TEST(ClosureFindings, WhatTheUserChose) {
  Closure closure;
  closure.unresolved = {{0, "libz.so", "/app", {"/lib", "/usr/lib"}}};
  closure.unknown = {{"/app", "opens what $X names"}};
  closure.included = {{"--include /srv/**", 2, 10, {"/srv/id_rsa"}}};
  closure.excluded = {{"/usr/**", "/usr/bin/env", "script-command", 5}};
  closure.trust = Trust::all;
  const auto list = closure_findings(closure);
  EXPECT_TRUE(has(list, kRuleUnresolved, Severity::high));
  EXPECT_TRUE(has(list, kRuleUnknown, Severity::low));
  EXPECT_TRUE(has(list, kRuleIncluded, Severity::info));
  EXPECT_TRUE(has(list, kRuleIncludedSecret, Severity::high));
  EXPECT_TRUE(has(list, kRuleExcluded, Severity::low));
  EXPECT_TRUE(has(list, kRuleTrustWide, Severity::medium));
  closure = {};
  EXPECT_TRUE(closure_findings(closure).empty());
  closure.trust = Trust::none;
  EXPECT_TRUE(closure_findings(closure).empty());
  closure.denied = {"/usr/lib/libz.so"};
  EXPECT_TRUE(has(closure_findings(closure), kRuleTrustNone, Severity::medium));
}

TEST(CredentialFindings, UnlessSomethingLetsThemIn) {
  const auto found = [](std::string_view manifest) {
    Closure closure;
    closure.absent = {{"/run/secrets/tls.key", "in /etc/app.conf"}};
    EnclaveManifest table;
    table.table = *parse_toml(manifest, Limits{}, "test");
    return credential_findings(closure, table);
  };
  EXPECT_TRUE(has(found(""), kRuleAbsentCredential, Severity::medium));
  EXPECT_TRUE(has(found("fs.mounts = [{ type = 'tmpfs', path = '/run' }]"), kRuleAbsentCredential,
                  Severity::medium))
      << "hidden by it";
  EXPECT_TRUE(found("sgx.allowed_files = ['file:/run/secrets/tls.key']").empty());
  EXPECT_TRUE(found("fs.mounts = [{ type = 'encrypted', path = '/run/secrets', uri = 'file:/s' }]")
                  .empty());
}

TEST(VolumeFindings, ByWhatIsMountedThere) {
  const auto found = [](std::string_view mounts) {
    Launch launch;
    launch.volumes = {"/data"};
    EnclaveManifest manifest;
    manifest.table = *parse_toml(mounts, Limits{}, "test");
    const auto rootfs = measure::Rootfs::merge({}, Limits{});
    return volume_findings(launch, manifest, *rootfs);
  };
  EXPECT_TRUE(has(found(""), kRuleVolumeUnwritable, Severity::medium));
  EXPECT_TRUE(has(found("fs.mounts = [{ type = 'tmpfs', path = '/data' }]"), kRuleVolumeLost,
                  Severity::low));
  EXPECT_TRUE(found("sgx.allowed_files = ['file:/data']").empty());
  EXPECT_TRUE(
      found("fs.mounts = [{ type = 'encrypted', path = '/data', uri = 'file:/d' }]").empty());
}

TEST(Advisories, EachIsComplete) {
  const auto list = load_advisories();
  ASSERT_TRUE(list) << list.error().what();
  ASSERT_FALSE(list->empty());
  for (const Advisory& advisory : *list) EXPECT_EQ(advisory.date.size(), 10u) << advisory.id;
}

TEST(Advisories, VersionsCompareByNumbers) {
  EXPECT_TRUE(is_before("1.6", "1.6.2"));
  EXPECT_TRUE(is_before("1.6.1-1", "1.6.2"));
  EXPECT_FALSE(is_before("1.6.2", "1.6.2"));
  EXPECT_FALSE(is_before("1.10", "1.6.2"));
  EXPECT_FALSE(is_before("1.9post", "1.6.2"));
  EXPECT_FALSE(is_before("", "1.6.2"));
  EXPECT_FALSE(is_before("git", "1.6.2"));
}

TEST(RuntimeFindings, TagsUnknownVersionsAndAdvisories) {
  measure::Runtime runtime;
  runtime.version = "1.6.1";
  runtime.sources.push_back({"docker.io/x/gramine:1.6", nullptr, sha256("d"), "", true});
  auto list = runtime_findings(runtime);
  ASSERT_TRUE(list);
  EXPECT_TRUE(has(*list, kRuleMutableRuntime, Severity::medium));
  const auto stop =
      std::find_if(list->begin(), list->end(), [](const Finding& f) { return f.stops_build; });
  ASSERT_NE(stop, list->end());
  EXPECT_EQ(stop->id, "gramine-fork-trusted-files");
  EXPECT_EQ(stop->severity, Severity::critical);

  runtime.version = "1.9";
  runtime.sources.front().mutable_tag = false;
  EXPECT_TRUE(runtime_findings(runtime)->empty());
  runtime.version.clear();
  EXPECT_TRUE(has(*runtime_findings(runtime), kRuleUnknownVersion, Severity::medium));
}

}  // namespace
}  // namespace cloister::manifest
