#include "manifest-gen/runtimes/static_program.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

std::set<std::string> granted(std::vector<std::string> strings) {
  auto facts = test::library();
  facts.strings = std::move(strings);
  const auto root = test::Tree().elf("/app", facts).build();
  const Launch launch;
  const Limits limits;
  const AnalyzerScene scene{launch, root, limits};
  const ProgramStart start{"/app", {"/app"}, true};
  EXPECT_TRUE(detect_static(start, scene));
  const auto analysis = analyze_static(start, scene);
  std::set<std::string> out;
  for (const ClosureRoot& item : analysis->roots) out.insert(item.path_or_glob);
  return out;
}

TEST(StaticProgram, ReadsWhatItNames) {
  EXPECT_EQ(granted({"/etc/ssl/certs/ca-certificates.crt/etc/pki/x", "/proc/self/exe"}),
            std::set<std::string>{"/etc/ssl/certs/ca-certificates.crt"});
  EXPECT_TRUE(granted({"/proc/self/exe"}).empty());
}

TEST(StaticProgram, NoEvidenceProvesNothing) {
  EXPECT_TRUE(granted({}).contains("/etc/passwd"));
  EXPECT_TRUE(
      granted(std::vector<std::string>(Limits{}.elf_evidence, "/x")).contains("/etc/group"));
}

TEST(StaticProgram, AsksNameServers) {
  const auto asks = [](const char* path, std::vector<std::string> strings) {
    auto facts = test::library();
    facts.strings = std::move(strings);
    const auto root = test::Tree().elf(path, facts).build();
    const Launch launch;
    const Limits limits;
    const auto analysis = analyze_static({path, {path}, true}, AnalyzerScene{launch, root, limits});
    return !analysis->suggestions.empty() && analysis->suggestions[0].key == kHostNamesKey;
  };
  EXPECT_TRUE(asks("/app", {"x/etc/resolv.conf/etc/hosts"}));
  EXPECT_FALSE(asks("/app", {"/etc/hosts"}));
  EXPECT_FALSE(asks("/bin/busybox", {"/etc/resolv.conf"})) << "as a shell";
}

TEST(StaticProgram, GoWithALoaderReadsWhatItNamesAndNoMore) {
  auto facts = test::program();
  facts.strings = {"/usr/share/zoneinfo//v2/x"};
  const auto root = test::Tree()
                        .elf("/app", facts)
                        .elf("/quiet", test::program())
                        .file("/usr/share/zoneinfo/UTC")
                        .build();
  const Launch launch;
  const Limits limits;
  const AnalyzerScene scene{launch, root, limits};
  const auto found = analyze_static({"/app", {"/app"}, true}, scene);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->roots.size(), 1u);
  EXPECT_EQ(found->roots.front().path_or_glob, "/etc/localtime");
  EXPECT_EQ(found->unknown.size(), 1u) << "zones by name";
  const auto none = analyze_static({"/quiet", {"/quiet"}, true}, scene);
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->roots.empty());
}

TEST(StaticProgram, OthersAreNone) {
  const auto root = test::Tree().elf("/app", test::program()).file("/text", "x").build();
  const Launch launch;
  const Limits limits;
  const AnalyzerScene scene{launch, root, limits};
  EXPECT_FALSE(detect_static({"/text", {"/text"}, true}, scene));
  EXPECT_FALSE(detect_static({"/absent", {"/absent"}, true}, scene));
}

}  // namespace
}  // namespace cloister::manifest
