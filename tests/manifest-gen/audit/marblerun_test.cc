#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {

// Where findings are, for the manifest `text`.
std::vector<std::string> places(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "manifest");
  if (!table.has_value()) return {table.error().what()};
  std::vector<std::string> out;
  for (const Finding& finding : marblerun_findings({std::move(*table)})) {
    EXPECT_EQ(finding.id, kRuleMarblerun);
    EXPECT_FALSE(finding.fix.empty());
    out.push_back(finding.where);
  }
  return out;
}

constexpr std::string_view kGood =
    "libos.entrypoint = '/gramine/bin/premain-libos'\n"
    "loader.argv = ['/usr/bin/app']\n"
    "loader.env.EDG_MARBLE_TYPE = { passthrough = true }\n"
    "sgx.remote_attestation = 'dcap'\n"
    "sgx.enclave_size = '1024M'\n"
    "sgx.max_threads = 16\n"
    "sgx.allowed_files = ['file:/data/uuid']\n";

std::string without(std::string_view line) {
  std::string out;
  for (const std::string_view one : split(kGood, '\n'))
    if (!one.starts_with(line)) out += cat(one, "\n");
  return out;
}

TEST(MarblerunFindings, AGoodMarbleHasNone) {
  EXPECT_EQ(places(kGood), std::vector<std::string>());
  EXPECT_EQ(places(cat(without("sgx.max_threads"), "sgx.max_threads = 1\nsgx.edmm_enable = true")),
            std::vector<std::string>());
}

TEST(MarblerunFindings, ManifestsWithoutPremainAreNotAsked) {
  EXPECT_EQ(places("libos.entrypoint = '/usr/bin/app'\nloader.argv = ['app']\n"),
            std::vector<std::string>());
}

TEST(MarblerunFindings, EachNeedThatIsNotMetIsNamed) {
  using Places = std::vector<std::string>;
  EXPECT_EQ(places(without("loader.env")), Places{"loader.env.EDG_MARBLE_TYPE"});
  EXPECT_EQ(places(without("sgx.remote")), Places{"sgx.remote_attestation"});
  EXPECT_EQ(places(without("sgx.allowed")), Places{"sgx.allowed_files"});
  EXPECT_EQ(places(cat(without("sgx.enclave_size"), "sgx.enclave_size = '512M'\n")),
            Places{"sgx.enclave_size"});
  EXPECT_EQ(places(cat(without("sgx.max_threads"), "sgx.max_threads = 8\n")),
            Places{"sgx.max_threads"});
}

}  // namespace
}  // namespace cloister::manifest
