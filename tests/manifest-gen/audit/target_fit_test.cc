#include "manifest-gen/audit/target_fit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {

using Effect = FitReason::Effect;

Finding seen(std::string_view id, Severity severity, std::string where) {
  Finding finding = make_finding(id, std::move(where), "seen", "do");
  finding.severity = severity;
  return finding;
}

const TargetFit& of(const std::vector<TargetFit>& all, Target target) {
  return all[static_cast<std::size_t>(target)];
}

const FitReason* reason(const TargetFit& target, std::string_view evidence) {
  for (const FitReason& one : target.reasons)
    if (one.evidence.find(evidence) != std::string::npos) return &one;
  return nullptr;
}

std::string fits(const std::vector<TargetFit>& all) {
  return cat(fit_name(all[0].fit), " ", fit_name(all[1].fit), " ", fit_name(all[2].fit));
}

// A server of one process with threads, in an image of the usual size.
FitFacts server() {
  FitFacts out;
  out.enclave_size = 512ULL << 20U;
  out.granted_files = 40;
  out.granted_bytes = 30ULL << 20U;
  out.image_files = 6000;
  out.image_bytes = 100ULL << 20U;
  out.network = "/usr/bin/server calls bind, socket";
  return out;
}

TEST(TargetFit, EveryReasonNamesItsEvidence) {
  FitFacts facts = server();
  facts.volumes = {"/data"};
  facts.seen_calls = {{"signalfd4", 3}};
  for (const Rule& rule : rules())
    if (rule.id.starts_with("CL4")) facts.findings.push_back(seen(rule.id, rule.severity, "/app"));
  const auto all = target_fit(facts);
  ASSERT_EQ(all.size(), 3U);
  for (const TargetFit& target : all) {
    EXPECT_FALSE(target.reasons.empty());
    for (const FitReason& one : target.reasons) {
      EXPECT_FALSE(one.what.empty());
      EXPECT_FALSE(one.evidence.empty()) << one.what;
    }
    EXPECT_TRUE(std::is_sorted(target.reasons.begin(), target.reasons.end(),
                               [](const auto& a, const auto& b) { return a.effect > b.effect; }));
  }
}

TEST(TargetFit, AThreadedServerFitsAnEnclaveAndAMachine) {
  const auto all = target_fit(server());
  EXPECT_EQ(fits(all), "yes yes with-limits");
  EXPECT_EQ(reason(of(all, Target::nitro), "calls bind")->effect, Effect::limit);
  EXPECT_NE(reason(of(all, Target::sgx), "40 of 6000 files"), nullptr);
}

// redis: a process for each snapshot, a volume, calls that it falls back from.
TEST(TargetFit, AForkNowAndThenIsAPrice) {
  FitFacts facts = server();
  facts.volumes = {"/var/lib/redis"};
  facts.findings = {seen(kRulePipes, Severity::low, "/usr/bin/redis"),
                    seen(kRuleFileLocks, Severity::low, "/usr/bin/redis"),
                    seen(kRuleProcesses, Severity::info, "/usr/bin/redis")};
  const auto all = target_fit(facts);
  EXPECT_EQ(fits(all), "yes yes with-limits");
  const FitReason* forks = reason(of(all, Target::sgx), "CL415 /usr/bin/redis");
  ASSERT_NE(forks, nullptr);
  EXPECT_EQ(forks->effect, Effect::cost);
  EXPECT_NE(forks->what.find("a further enclave of 512.0 MiB"), std::string::npos) << forks->what;
  EXPECT_NE(reason(of(all, Target::sgx), "CL406 /usr/bin/redis; CL413 /usr/bin/redis"), nullptr);
  EXPECT_EQ(reason(of(all, Target::nitro), "/var/lib/redis")->effect, Effect::limit);
  EXPECT_EQ(reason(of(all, Target::snp), "/var/lib/redis")->effect, Effect::cost);
}

// postgres: a process for each connection, over System V memory.
TEST(TargetFit, ProcessesOverSystemVMemoryRuleAnEnclaveOut) {
  FitFacts facts = server();
  facts.findings = {seen(kRuleSysvIpc, Severity::high, "/usr/lib/postgresql/15/bin/postgres"),
                    seen(kRuleProcesses, Severity::info, "/usr/lib/postgresql/15/bin/postgres")};
  const auto all = target_fit(facts);
  EXPECT_EQ(fits(all), "no yes with-limits");
  EXPECT_EQ(of(all, Target::sgx).reasons.front().effect, Effect::obstacle);
  EXPECT_EQ(of(all, Target::sgx).reasons.front().evidence,
            "CL401 /usr/lib/postgresql/15/bin/postgres");
  EXPECT_NE(reason(of(all, Target::snp), "CL401, CL415"), nullptr);
}

TEST(TargetFit, SharedMemoryLimitsOnlyWhoHasProcesses) {
  FitFacts facts = server();
  // As compatibility.cc rates it for a program that starts no process.
  facts.findings = {seen(kRuleSharedMemory, Severity::info, "/app")};
  EXPECT_EQ(of(target_fit(facts), Target::sgx).fit, Fit::yes);
  facts.findings = {seen(kRuleSharedMemory, Severity::medium, "/app")};
  EXPECT_EQ(of(target_fit(facts), Target::sgx).fit, Fit::with_limits);
  facts.findings = {seen(kRuleSysvIpc, Severity::medium, "/app")};
  EXPECT_EQ(of(target_fit(facts), Target::sgx).fit, Fit::with_limits);
}

TEST(TargetFit, SizeDecidesAboutMachines) {
  FitFacts facts = server();
  facts.enclave_size = 4ULL << 30U;
  EXPECT_EQ(of(target_fit(facts), Target::sgx).fit, Fit::yes);
  facts.enclave_size = 8ULL << 30U;
  const auto large = target_fit(facts);
  EXPECT_EQ(fits(large), "with-limits yes with-limits");
  EXPECT_NE(reason(of(large, Target::sgx), "enclave size 8.0 GiB"), nullptr);
  EXPECT_TRUE(std::any_of(
      of(large, Target::sgx).reasons.begin(), of(large, Target::sgx).reasons.end(),
      [](const FitReason& one) { return one.what.find("2097152 pages") != std::string::npos; }));
  facts.edmm = true;
  const auto growing = target_fit(facts);
  for (const FitReason& one : of(growing, Target::sgx).reasons)
    EXPECT_EQ(one.what.find("2097152 pages"), std::string::npos);
}

TEST(TargetFit, WithoutNetworkAndDiskANitroEnclaveFits) {
  FitFacts facts = server();
  facts.network.clear();
  EXPECT_EQ(of(target_fit(facts), Target::nitro).fit, Fit::yes);
  // Code that calls the kernel by itself may do what no import shows.
  facts.findings = {seen(kRuleRawCalls, Severity::info, "/app")};
  const auto all = target_fit(facts);
  EXPECT_EQ(fits(all), "yes yes with-limits");
  EXPECT_EQ(reason(of(all, Target::nitro), "CL417 /app")->effect, Effect::limit);
}

TEST(TargetFit, WhatARehearsalSawCounts) {
  FitFacts facts = server();
  facts.seen_calls = {{"io_uring_setup", 1}, {"signalfd4", 3}};
  const auto all = target_fit(facts);
  EXPECT_EQ(of(all, Target::sgx).fit, Fit::with_limits);
  EXPECT_EQ(of(all, Target::snp).fit, Fit::yes);
  EXPECT_EQ(of(all, Target::sgx).reasons.front().evidence,
            "rehearsal: io_uring_setup 1 time, signalfd4 3 times");
}

TEST(TargetFit, NothingKnownIsNothingClaimed) {
  for (const TargetFit& target : target_fit(FitFacts())) {
    EXPECT_EQ(target.fit, Fit::yes);
    for (const FitReason& one : target.reasons)
      EXPECT_EQ(one.what.find("0 "), std::string::npos) << one.what;
  }
}

// Findings about risks, not about what works, say nothing here.
TEST(TargetFit, OnlyWhatGramineLacksCounts) {
  FitFacts facts = server();
  facts.findings = {seen(kRuleDebug, Severity::critical, "sgx.debug"),
                    seen(kRuleHealthcheck, Severity::info, "image")};
  EXPECT_EQ(fits(target_fit(facts)), "yes yes with-limits");
  EXPECT_EQ(reason(of(target_fit(facts), Target::snp), "of no concern"), nullptr);
}

}  // namespace
}  // namespace cloister::manifest
