#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cmd/report/audit_targets.h"
#include "cmd/report/closure.h"
#include "cmd/report/files.h"
#include "cmd/report/sgx_json.h"

namespace cloister::cmd {
namespace {

using measure::Entry;
using measure::FileType;

TEST(FilesReport, CarriesBytesThatAreNoTextAsBase64) {
  Entry entry;
  entry.path = "caf\xe9\n";
  entry.mode = 04755;
  const auto json = Json::parse(files_json({{"/" + entry.path, &entry, 2}}), nullptr, false);
  const auto& file = json["files"][0];
  EXPECT_EQ(file["path"], "/caf\\xe9\\x0a");
  EXPECT_EQ(file["pathBase64"], base64(as_bytes("/caf\xe9\n")));
  EXPECT_EQ(file["mode"], "4755");
  EXPECT_EQ(file["layer"], 2);
  EXPECT_FALSE(file.contains("linkTarget"));
}

TEST(FilesReport, KeepsUtf8AndControlCharactersInJson) {
  Entry entry;
  entry.type = FileType::symlink;
  entry.path = "grüße\033[31m";
  entry.link_target = "/ziel";
  const std::vector<FileRow> rows = {{"/" + entry.path, &entry, 0}};
  const auto json = Json::parse(files_json(rows), nullptr, false);
  EXPECT_EQ(json["files"][0]["path"], "/grüße\033[31m");
  EXPECT_FALSE(json["files"][0].contains("pathBase64"));
  EXPECT_FALSE(json["files"][0].contains("sha256"));
  EXPECT_EQ(files_text(rows).find('\033'), std::string::npos);
}

TEST(ClosureReport, ShowsASharedDependencyOnceAndLoopsEnd) {
  manifest::Closure closure;
  for (const char* path : {"/bin/a", "/lib/b.so", "/lib/c.so"}) {
    manifest::Member member;
    member.real_path = path;
    member.paths = {path};
    closure.members.push_back(member);
  }
  using manifest::kLaunch;
  using manifest::Why;
  closure.edges = {{kLaunch, 0, Why::entrypoint, ""},
                   {0, 1, Why::needed, "NEEDED b.so"},
                   {0, 2, Why::needed, ""},
                   {1, 2, Why::needed, ""},
                   {2, 1, Why::needed, ""}};
  const std::string tree = closure_tree(closure, false);
  EXPECT_NE(tree.find("├── b.so => /lib/b.so"), std::string::npos) << tree;
  EXPECT_NE(tree.find("(above)"), std::string::npos) << tree;
  EXPECT_EQ(closure_list(closure), "/bin/a\n/lib/b.so\n/lib/c.so\n");
}

TEST(TargetsReport, IsASectionWithAnAnswerAndItsReasons) {
  using Effect = manifest::FitReason::Effect;
  const std::vector<manifest::TargetFit> targets = {
      {manifest::Target::sgx,
       manifest::Fit::no,
       {{Effect::obstacle, "it would not start", "CL401 /a|b\x1b[31m<i>"}}},
      {manifest::Target::nitro, manifest::Fit::with_limits, {{Effect::limit, "no disk", "/d"}}}};
  EXPECT_EQ(targets_text(targets, 50, false),
            "\nWhere it can run\n  SGX enclave       no\n"
            "    against  it would not start (CL401\n"
            "             /a|b\\x1b[31m<i>)\n"
            "  Nitro Enclave     with limits\n    limit    no disk (/d)\n");
  const std::string markdown = targets_markdown(targets);
  EXPECT_NE(markdown.find("| SGX enclave | no | against: it would not start (CL401 /a&#124;b"),
            std::string::npos)
      << markdown;
  EXPECT_EQ(markdown.find("<i>"), std::string::npos);
  const auto json = targets_json(targets);
  EXPECT_EQ(json[1]["fits"], "with-limits");
  EXPECT_EQ(json[1]["reasons"][0]["effect"], "limit");
  EXPECT_EQ(targets_text({}, 80, false) + targets_markdown({}), "");
}

TEST(SgxJson, WritesIntegersInMemoryOrder) {
  EXPECT_EQ(hex_le(4, 8), "0400000000000000");
  EXPECT_EQ(hex_le(0xfffffffffff9ff1b, 8), "1bfff9ffffffffff");
  EXPECT_EQ(hex_le(1, 4), "01000000");
}

}  // namespace
}  // namespace cloister::cmd
