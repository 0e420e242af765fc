#include "manifest-gen/audit/compatibility.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "measure/elf/noted_imports.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

// A function that is not noted would be found in no program: its rule would say nothing, ever.
TEST(Compatibility, EveryFunctionAskedAboutIsNoted) {
  const auto functions = audited_functions();
  EXPECT_GT(functions.size(), 50U);
  for (const std::string_view name : functions)
    EXPECT_TRUE(measure::elf::is_noted_import(name)) << name;
}

measure::elf::Facts importing(measure::elf::Facts facts, std::vector<std::string> imports) {
  facts.imports = std::move(imports);
  return facts;
}

struct Case {
  measure::Rootfs rootfs;
  Launch launch;
  Closure closure;
};

// /app, started, is linked with /libx.so.
Case app(std::vector<std::string> imports, std::vector<std::string> library = {}) {
  Case out{Tree()
               .elf("/app", importing(test::program(), std::move(imports)))
               .elf("/libx.so", importing(test::library(), std::move(library)))
               .build(),
           {},
           {}};
  for (const char* path : {"/app", "/libx.so"}) {
    Member member;
    member.real_path = path;
    member.paths = {path};
    out.closure.members.push_back(std::move(member));
  }
  out.closure.edges = {{kLaunch, 0, Why::entrypoint, ""}, {0, 1, Why::needed, ""}};
  return out;
}

std::vector<Finding> findings_of(const Case& c) {
  return compatibility_findings(c.launch, c.closure, c.rootfs);
}

const Finding* find(const std::vector<Finding>& findings, std::string_view id) {
  for (const Finding& finding : findings)
    if (finding.id == id) return &finding;
  return nullptr;
}

TEST(Compatibility, AQuietProgramHasNoFindings) {
  EXPECT_TRUE(findings_of(app({"open", "getpwnam"})).empty());
}

TEST(Compatibility, ProcessesOverSharedMemoryAreHigh) {
  const auto alone = findings_of(app({"shmget", "shmat"}));
  ASSERT_NE(find(alone, kRuleSysvIpc), nullptr);
  EXPECT_EQ(find(alone, kRuleSysvIpc)->severity, Severity::medium);
  const auto many = findings_of(app({"fork", "shmat", "shmget"}));
  ASSERT_NE(find(many, kRuleSysvIpc), nullptr);
  EXPECT_EQ(find(many, kRuleSysvIpc)->severity, Severity::high);
  EXPECT_EQ(find(many, kRuleSysvIpc)->where, "/app");
  EXPECT_NE(find(many, kRuleSysvIpc)->evidence.find("shmat, shmget"), std::string::npos);
  EXPECT_NE(find(many, kRuleProcesses), nullptr);
}

TEST(Compatibility, LibrariesAloneAreOneNote) {
  const auto findings = findings_of(app({}, {"inotify_init1", "memfd_create", "timerfd_create"}));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].id, kRuleLibraryCalls);
  EXPECT_EQ(findings[0].severity, Severity::info);
  EXPECT_EQ(findings[0].where, "/libx.so");
}

TEST(Compatibility, WhatALibraryLoadsDoesNotCount) {
  Case c = app({}, {"shmget"});
  c.closure.edges.back().from = 1;  // needed by another library
  EXPECT_TRUE(findings_of(c).empty());
}

TEST(Compatibility, ToolsOfScriptsDoNotCount) {
  Case c = app({"symlink"});
  c.closure.members[0].real_path = "/usr/bin/ln";
  c.closure.members.insert(c.closure.members.begin(), Member());
  c.closure.members[0].real_path = "/entry.sh";
  c.closure.edges = {{kLaunch, 0, Why::entrypoint, ""}, {0, 1, Why::script_command, ""}};
  EXPECT_TRUE(findings_of(c).empty());
}

TEST(Compatibility, RootThatIsGivenUp) {
  Case c = app({"setgroups", "setresuid", "setuid"});
  EXPECT_NE(find(findings_of(c), kRulePrivileges), nullptr);
  EXPECT_EQ(find(findings_of(c), kRuleIdentity)->severity, Severity::low);
  c.launch.uid = 1000;
  EXPECT_EQ(find(findings_of(c), kRulePrivileges), nullptr);
  EXPECT_EQ(find(findings_of(c), kRuleIdentity)->severity, Severity::info);
}

TEST(Compatibility, StaticProgramsAndOpenMp) {
  Case c = app({});
  c.rootfs = Tree()
                 .elf("/app",
                      [] {
                        auto facts = test::library();
                        facts.raw_syscalls = true;
                        return facts;
                      }())
                 .build();
  c.closure.members[1].real_path = "/usr/lib/libgomp.so.1.0.0";
  EXPECT_NE(find(findings_of(c), kRuleRawCalls), nullptr);
  EXPECT_NE(find(findings_of(c), kRuleOpenMp), nullptr);
}

TEST(Compatibility, EveryRowIsARuleOfTheTable) {
  std::set<std::string_view> functions;
  for (const Incompatibility& row : incompatibilities()) {
    const auto rule =
        std::find_if(rules().begin(), rules().end(), [&](const Rule& r) { return r.id == row.id; });
    ASSERT_NE(rule, rules().end()) << row.id;
    EXPECT_GE(rule->severity, row.severity);
    for (const std::string_view function : split(row.functions, ' '))
      EXPECT_TRUE(functions.insert(function).second) << function << " is in two rows";
  }
}

TEST(VolumeFindings, SayWhatBecomesOfEachVolume) {
  Launch launch;
  launch.volumes = {"/cache", "/data", "/host", "/kept/below"};
  EnclaveManifest manifest;
  const auto mount = [](std::string_view type, std::string_view path) {
    TomlTable table;
    table.set("type", std::string(type));
    table.set("path", std::string(path));
    return TomlValue(table);
  };
  manifest.table.put("fs.mounts", TomlArray{mount("tmpfs", "/cache"), mount("encrypted", "/kept")});
  manifest.table.put("sgx.allowed_files", TomlArray{TomlValue("file:/host")});
  const auto findings = volume_findings(launch, manifest,
                                        Tree()
                                            .link("/var/log/app/access.log", "/dev/stdout")
                                            .file("/var/log/app/other.log")
                                            .file("/var/log/dpkg.log")
                                            .build());
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[2].id, kRuleLogUnwritable);
  EXPECT_EQ(findings[2].where, "/var/log/app/other.log");
  EXPECT_EQ(findings[0].id, kRuleVolumeLost);
  EXPECT_EQ(findings[0].where, "/cache");
  EXPECT_EQ(findings[1].id, kRuleVolumeUnwritable);
  EXPECT_EQ(findings[1].where, "/data");
  EXPECT_NE(findings[1].fix.find("--volume /data="), std::string::npos);
}

}  // namespace
}  // namespace cloister::manifest
