#include "manifest-gen/rehearse/verdict/sizes.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/text.h"
#include "base/toml.h"
#include "manifest-gen/gramine/enclave_manifest.h"

namespace cloister::manifest {
namespace {

using Outcome = SizeAdvice::Outcome;

TomlTable table(std::string_view text) {
  auto parsed = parse_toml(text, Limits{}, "the manifest");
  EXPECT_TRUE(parsed);
  return parsed ? *parsed : TomlTable();
}

SizeAdvice advice_of(const std::vector<SizeAdvice>& all, std::string_view key) {
  for (const SizeAdvice& one : all)
    if (one.key == key) return one;
  ADD_FAILURE() << key;
  return {};
}

ObservedRun run_with(const ProcessPeaks& peaks) {
  ObservedRun run;
  run.source = "rehearsal";
  run.programs["/app"] = peaks;
  return run;
}

std::uint64_t proposed_bytes(const SizeAdvice& advice) {
  EXPECT_TRUE(advice.proposal) << advice.arithmetic;
  if (!advice.proposal) return 0;
  const TomlTable value = table(cat("x = ", advice.proposal->value));
  return *parse_size(*value.at("x")->string(), Strictness::loader);
}

TEST(Sizes, FitAProgramOf300MegabytesAnd20Threads) {
  ProcessPeaks peaks;
  peaks.virtual_bytes = 500ULL << 20;
  peaks.data_bytes = 480ULL << 20;
  peaks.threads = 21;
  const auto all =
      advise_sizes(run_with(peaks), table("sgx.enclave_size = \"512M\"\nsgx.max_threads = 16\n"));
  const SizeAdvice enclave = advice_of(all, "sgx.enclave_size");
  EXPECT_EQ(enclave.outcome, Outcome::too_small);
  EXPECT_EQ(proposed_bytes(enclave), 1ULL << 30);
  EXPECT_GE(enclave.need, peaks.virtual_bytes + (64ULL << 20) + 24 * 360 * 1024);
  const SizeAdvice threads = advice_of(all, "sgx.max_threads");
  EXPECT_EQ(threads.outcome, Outcome::too_small);
  EXPECT_EQ(threads.proposal->value, "28");
  EXPECT_EQ(all.front().key, "sgx.enclave_size");
}

TEST(Sizes, TakeTheGreatestProcessSinceEachIsAnEnclave) {
  ObservedRun run = run_with({.processes = 4, .virtual_bytes = 100ULL << 20, .threads = 2});
  run.programs["/worker"] = {.processes = 1, .virtual_bytes = 200ULL << 20, .threads = 1};
  const auto all = advise_sizes(run, table("sgx.enclave_size = \"256M\"\n"));
  EXPECT_EQ(advice_of(all, "sgx.enclave_size").seen, 200ULL << 20);
  EXPECT_NE(advice_of(all, "sgx.enclave_size").arithmetic.find("/worker"), std::string::npos);
  EXPECT_EQ(advice_of(all, "sgx.max_threads").seen, 2U);
}

TEST(Sizes, SuggestLessOnlyWithTwiceTheRoom) {
  const ObservedRun run = run_with(
      {.processes = 1, .virtual_bytes = 50ULL << 20, .stack_bytes = 132 << 10, .threads = 1});
  const auto ample = advise_sizes(run, table("sgx.enclave_size = \"1G\"\nsgx.max_threads = 16\n"));
  EXPECT_EQ(advice_of(ample, "sgx.enclave_size").outcome, Outcome::ample);
  EXPECT_EQ(proposed_bytes(advice_of(ample, "sgx.enclave_size")), 128ULL << 20);
  EXPECT_EQ(advice_of(ample, "sgx.max_threads").proposal->value, "8");
  const auto enough =
      advise_sizes(run, table("sgx.enclave_size = \"128M\"\nsgx.max_threads = 8\n"));
  for (const SizeAdvice& one : enough)
    if (one.key != "sys.disallow_subprocesses") {
      EXPECT_FALSE(one.proposal) << one.key << one.proposal->value;
    }
  // The 132 KiB that a kernel gives every program are within Gramine's 256.
  EXPECT_EQ(advice_of(enough, "sys.stack.size").outcome, Outcome::enough);
}

TEST(Sizes, SayWhatWasNotSeen) {
  ObservedRun run;
  run.source = "gramine";
  for (const SizeAdvice& one : advise_sizes(run, TomlTable())) {
    EXPECT_EQ(one.outcome, Outcome::unknown) << one.key;
    EXPECT_FALSE(one.proposal) << one.key;
    EXPECT_FALSE(one.arithmetic.empty()) << one.key;
    EXPECT_TRUE(one.is_default) << one.key;
  }
}

TEST(Sizes, RaiseStackHeapAndDescriptors) {
  const auto all = advise_sizes(run_with({.processes = 1,
                                          .virtual_bytes = 1ULL << 30,
                                          .heap_bytes = 90ULL << 20,
                                          .stack_bytes = 900 << 10,
                                          .threads = 1,
                                          .descriptors = 1000}),
                                TomlTable());
  EXPECT_EQ(proposed_bytes(advice_of(all, "sys.stack.size")), 2ULL << 20);
  EXPECT_EQ(proposed_bytes(advice_of(all, "sys.brk.max_size")), 128ULL << 20);
  EXPECT_EQ(advice_of(all, "sys.fds.limit").proposal->value, "1500");
  EXPECT_EQ(advice_of(all, "sys.fds.limit").current, "900");
}

TEST(Sizes, ForbidProcessesOnlyWhereNoneWasStarted) {
  ObservedRun run = run_with({});
  EXPECT_EQ(advice_of(advise_sizes(run, TomlTable()), "sys.disallow_subprocesses").proposal->value,
            "true");
  run.forks = 2;
  EXPECT_FALSE(advice_of(advise_sizes(run, TomlTable()), "sys.disallow_subprocesses").proposal);
  const SizeAdvice wrong = advice_of(advise_sizes(run, table("sys.disallow_subprocesses = true\n")),
                                     "sys.disallow_subprocesses");
  EXPECT_EQ(wrong.outcome, Outcome::too_small);
  EXPECT_EQ(wrong.proposal->value, "false");
}

TEST(Sizes, LeaveDynamicEnclavesAlone) {
  const auto all =
      advise_sizes(run_with({.processes = 1, .virtual_bytes = 1ULL << 30, .threads = 50}),
                   table("sgx.edmm_enable = true\nsgx.max_threads = 1\n"));
  EXPECT_EQ(advice_of(all, "sgx.max_threads").outcome, Outcome::enough);
  EXPECT_EQ(advice_of(all, "sgx.enclave_size").outcome, Outcome::enough);
}

TEST(Sizes, SurviveNumbersBeyondAllMemory) {
  const std::uint64_t all_ones = ~0ULL;
  const auto all = advise_sizes(run_with({.processes = all_ones,
                                          .resident_bytes = all_ones,
                                          .virtual_bytes = all_ones,
                                          .heap_bytes = all_ones,
                                          .data_bytes = all_ones,
                                          .stack_bytes = all_ones,
                                          .threads = all_ones,
                                          .descriptors = all_ones}),
                                table("sys.brk.max_size = \"17179869183G\"\n"));
  EXPECT_EQ(advice_of(all, "sgx.enclave_size").outcome, Outcome::too_small);
  EXPECT_FALSE(advice_of(all, "sgx.enclave_size").proposal);  // no enclave is that large
  EXPECT_EQ(advice_of(all, "sgx.max_threads").proposal->value, "4096");
}

}  // namespace
}  // namespace cloister::manifest
