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
  return manifest_findings(manifest);
}

bool has(const std::vector<Finding>& list, std::string_view id, Severity severity) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Finding& f) { return f.id == id && f.severity == severity; });
}

constexpr std::string_view kQuiet = "sgx.debug = false\nsgx.remote_attestation = 'dcap'\n";

std::vector<Finding> with(std::string_view more) {
  return findings(std::string(kQuiet) + std::string(more));
}

TEST(Rules, IdsAreUnique) {
  std::set<std::string_view> ids;
  for (const Rule& rule : rules()) EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
}

TEST(Rules, AHardenedManifestHasNoFindings) {
  EXPECT_TRUE(findings(kQuiet).empty());
}

TEST(Rules, DebugAndAttestation) {
  EXPECT_TRUE(has(findings("sgx.debug = true"), "CL301", Severity::critical));
  EXPECT_TRUE(has(findings("sgx.debug = false"), "CL302", Severity::medium));
  EXPECT_TRUE(has(findings("sgx.remote_attestation = 'none'"), "CL302", Severity::medium));
}

TEST(Rules, AllowedFilesByWhatTheyCover) {
  EXPECT_TRUE(has(with("sgx.allowed_files = ['file:/data']"), "CL303", Severity::medium));
  for (const char* path : {"/", "/usr", "/etc/passwd", "/usr/lib/x.so"})
    EXPECT_TRUE(has(with("sgx.allowed_files = ['file:" + std::string(path) + "']"), "CL304",
                    Severity::critical))
        << path;
  const std::string trusted = "sgx.trusted_files = [{uri='file:/app/main', sha256='x'}]\n";
  for (const char* path : {"/app/", "/app", "/app/main", "/"})
    EXPECT_TRUE(has(with(trusted + "sgx.allowed_files = ['file:" + path + "']"), "CL305",
                    Severity::critical))
        << path;
  EXPECT_FALSE(
      has(with(trusted + "sgx.allowed_files = ['file:/ap']"), "CL305", Severity::critical));
  EXPECT_TRUE(
      has(with("sgx.allowed_files = ['file:/var/log/nginx/access.log']"), "CL311", Severity::info));
}

TEST(Rules, PassthroughByName) {
  EXPECT_TRUE(has(with("loader.env.LD_PRELOAD = {passthrough=true}"), "CL306", Severity::critical));
  EXPECT_TRUE(has(with("loader.env.TOKEN = {passthrough=true}"), "CL307", Severity::medium));
  EXPECT_TRUE(with("loader.env.TOKEN = 'x'").empty());
}

TEST(Rules, InsecureSwitches) {
  EXPECT_TRUE(has(with("loader.insecure__use_host_env = true"), "CL309", Severity::critical));
  EXPECT_TRUE(has(with("loader.insecure__use_cmdline_argv = true"), "CL308", Severity::critical));
  EXPECT_TRUE(
      has(with("sgx.file_check_policy = 'allow_all_but_log'"), "CL310", Severity::critical));
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
  EXPECT_TRUE(has(list, "CL201", Severity::medium));
  EXPECT_TRUE(has(list, "CL202", Severity::low));
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
  EXPECT_TRUE(has(*list, "CL101", Severity::medium));
  const auto stop =
      std::find_if(list->begin(), list->end(), [](const Finding& f) { return f.stops_build; });
  ASSERT_NE(stop, list->end());
  EXPECT_EQ(stop->id, "gramine-fork-trusted-files");
  EXPECT_EQ(stop->severity, Severity::critical);

  runtime.version = "1.9";
  runtime.sources.front().mutable_tag = false;
  EXPECT_TRUE(runtime_findings(runtime)->empty());
  runtime.version.clear();
  EXPECT_TRUE(has(*runtime_findings(runtime), "CL102", Severity::medium));
}

}  // namespace
}  // namespace cloister::manifest
