// Manifests as people write them for well-known programs (testdata/curated), and what a reviewer
// would say of each: one line per finding, most severe first.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/audit/rules.h"
#include "tests/base/source_dir.h"

namespace cloister::manifest {
namespace {

namespace fs = std::filesystem;

std::string review(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "manifest");
  if (!table) return table.error().what();
  const EnclaveManifest manifest{std::move(*table)};
  std::vector<Finding> findings = manifest_findings(manifest, nullptr);
  for (Finding& finding : refusal_findings(manifest)) findings.push_back(std::move(finding));
  for (Finding& finding : granted_findings(manifest, nullptr))
    findings.push_back(std::move(finding));
  sort_findings(findings);
  std::string out;
  for (const Finding& finding : findings)
    out += cat(finding.id, " ", severity_name(finding.severity), " ", finding.where, "\n");
  return out;
}

TEST(CuratedManifests, GiveTheFindingsOfAReviewer) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(source_dir() / "testdata/curated")) {
    if (entry.path().extension() != ".manifest") continue;
    ++count;
    const auto text = read_text_file(entry.path(), 1U << 20);
    const auto want =
        read_text_file(fs::path(entry.path()).replace_extension(".findings"), 1U << 20);
    ASSERT_TRUE(text && want) << entry.path();
    EXPECT_EQ(review(*text), *want) << entry.path();
  }
  EXPECT_GT(count, 20U);
}

}  // namespace
}  // namespace cloister::manifest
