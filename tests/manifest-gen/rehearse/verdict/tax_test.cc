#include "manifest-gen/rehearse/verdict/tax.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/system_calls.h"

namespace cloister::manifest {
namespace {

using CostKind = CallCost::Kind;

TEST(CallCosts, DependOnWhatIsBehindTheDescriptor) {
  EXPECT_EQ(cost_of({"read", "trusted"}, false).exits, 0U);
  EXPECT_EQ(cost_of({"read", "tmpfs"}, false).exits, 0U);
  EXPECT_EQ(cost_of({"read", "socket"}, false).exits, 1U);
  EXPECT_EQ(cost_of({"read", "pipe"}, false).exits, 2U);
  EXPECT_EQ(cost_of({"read", ""}, false).exits, 1U);
  EXPECT_EQ(cost_of({"write", "terminal"}, false).exits, 1U);
  EXPECT_EQ(cost_of({"openat", "trusted"}, false).exits, 3U);
  EXPECT_EQ(cost_of({"epoll_wait", "epoll"}, false).exits, 1U);
  EXPECT_EQ(cost_of({"epoll_ctl", "epoll"}, false).exits, 0U);
  EXPECT_EQ(cost_of({"fcntl", "socket"}, false).exits, 1U);
  EXPECT_EQ(cost_of({"fcntl", "trusted"}, false).exits, 0U);
  EXPECT_EQ(cost_of({"fork", ""}, false).kind, CostKind::new_enclave);
  EXPECT_EQ(cost_of({"io_uring_enter", ""}, false).kind, CostKind::unimplemented);
  EXPECT_EQ(cost_of({"no_such_call", ""}, false).kind, CostKind::unknown);
  EXPECT_EQ(cost_of({"", ""}, false).kind, CostKind::unknown);
}

TEST(CallCosts, OfMemoryDependOnEdmm) {
  EXPECT_EQ(cost_of({"mmap", ""}, false).kind, CostKind::inside);
  EXPECT_EQ(cost_of({"mmap", ""}, true).exits, 1U);
}

// A call that Gramine implements and no row has would count as a guess.
TEST(CallCosts, KnowEveryCallThatGramineImplements) {
  for (int number = 0; number < kSystemCalls; ++number) {
    const std::string name(system_call_name(number));
    if (name.empty()) continue;
    const CallCost cost = cost_of({name, ""}, false);
    if (implemented_by_gramine(name) != Implemented::no) {
      EXPECT_NE(cost.kind, CostKind::unknown) << name;
    }
    EXPECT_NE(cost.kind == CostKind::leaves, cost.exits == 0) << name;
  }
}

ObservedRun busy_server() {
  ObservedRun run;
  run.profiled = true;
  run.seconds = 10;
  run.requests = 1000;
  run.calls = {{{"epoll_wait", "epoll"}, 1000},
               {{"read", "socket"}, 1000},
               {{"write", "socket"}, 1000},
               {{"read", "trusted"}, 5000},
               {{"futex", ""}, 10}};
  return run;
}

TEST(Tax, AddsUpExits) {
  const Tax tax = tax_of(busy_server(), {.cycles_per_exit = 10'000, .megahertz = 2'000});
  EXPECT_EQ(tax.calls, 8010U);
  EXPECT_EQ(tax.exits, 3010U);
  EXPECT_DOUBLE_EQ(tax.exits_per_second, 301);
  EXPECT_DOUBLE_EQ(tax.exits_per_request, 3.01);
  EXPECT_DOUBLE_EQ(tax.cpu_seconds, 3010 * 5e-6);
  EXPECT_DOUBLE_EQ(tax.core_share, 3010 * 5e-7);
  EXPECT_DOUBLE_EQ(tax.micros_per_request, 3.01 * 5);
  EXPECT_EQ(tax.lines.front().exits, 1000U);
  EXPECT_EQ(tax.lines.back().call.object, "trusted");
  ASSERT_EQ(tax.advice.size(), 1U);
  EXPECT_NE(tax.advice[0].because.find("3 exits per request"), std::string::npos);
}

TEST(Tax, CountsTheFirstLookUpOfEachPath) {
  ObservedRun run;
  run.paths["/etc/x"].of(FileUse::look).done = 50;
  run.paths["/etc/absent"].of(FileUse::look).absent = 1;
  run.paths["/proc/self/maps"].of(FileUse::read).done = 1;
  run.paths["/never"];
  const Tax tax = tax_of(run, {});
  EXPECT_EQ(tax.look_ups, 2U);
  EXPECT_EQ(tax.exits, 2 * kLookUpExits);
}

TEST(Tax, SaysThatAProfileIsNeeded) {
  ObservedRun run = busy_server();
  run.profiled = false;
  EXPECT_NE(tax_of(run, {}).assumptions.front().find("--profile"), std::string::npos);
  for (const std::string& text : tax_of(busy_server(), {}).assumptions)
    EXPECT_EQ(text.find("--profile"), std::string::npos) << text;
}

TEST(Tax, AdvisesByWhatWasSeen) {
  const std::pair<CallKey, const char*> cases[] = {
      {{"write", "terminal"}, "buffer what is logged"},   {{"futex", ""}, "fewer threads"},
      {{"write", "eventfd"}, "hand work to each other"},  {{"sched_yield", ""}, "polling"},
      {{"fsync", "allowed"}, "write to disk less often"},
  };
  for (const auto& [call, text] : cases) {
    ObservedRun run;
    run.profiled = true;
    run.calls = {{call, 100}, {{"read", "socket"}, 100}};
    const Tax tax = tax_of(run, {});
    ASSERT_EQ(tax.advice.size(), 1U) << call.name;
    EXPECT_NE(tax.advice[0].what.find(text), std::string::npos) << tax.advice[0].what;
    run.calls[call] = 1;
    EXPECT_TRUE(tax_of(run, {}).advice.empty()) << call.name;
  }
}

TEST(Tax, AdvisesAgainstProcessesHoweverTheyAreMade) {
  ObservedRun run;
  run.forks = 2;
  run.calls = {{{"clone", ""}, 2}};
  const Tax tax = tax_of(run, {});
  EXPECT_EQ(tax.new_enclaves, 2U);
  EXPECT_NE(tax.advice.front().what.find("start no processes"), std::string::npos);
}

TEST(Tax, SpeaksOfMemoryAndClocksWhereTheyCost) {
  ObservedRun run;
  run.calls = {{{"munmap", ""}, 100}, {{"clock_gettime", ""}, 100}, {{"read", "socket"}, 1}};
  EXPECT_EQ(tax_of(run, {}).advice.size(), 1U);  // the clock
  EXPECT_EQ(tax_of(run, {.edmm = true}).advice.size(), 2U);
}

TEST(Tax, DividesByNothing) {
  ObservedRun run;
  run.requests = 0;
  const Tax tax = tax_of(run, {.cycles_per_exit = 0, .megahertz = 0});
  EXPECT_EQ(tax.exits, 0U);
  EXPECT_EQ(tax.core_share, 0);
  EXPECT_TRUE(tax.advice.empty());
}

}  // namespace
}  // namespace cloister::manifest
