#include "base/program.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister {
namespace {

ProgramRun shell(std::string script) {
  ProgramRun run;
  run.arguments = {"/bin/sh", "-c", std::move(script)};
  run.max_output = 1000;
  return run;
}

TEST(Program, GetsItsInputAndGivesItsOutput) {
  const Bytes input(500000, std::byte{'x'});
  ProgramRun run = shell("wc -c; echo \"$WORD\"; exit 3");
  run.input = input;
  run.environment = {{"WORD", "said"}, {"PATH", "/usr/bin:/bin"}};
  const ProgramOutput out = must(run_program(run));
  EXPECT_EQ(out.status, 3);
  EXPECT_EQ(as_text(out.output), "500000\nsaid\n");
}

TEST(Program, SeesNothingOfOurEnvironment) {
  const ProgramOutput out = must(run_program(shell("echo \"${HOME-none}\"")));
  EXPECT_EQ(as_text(out.output), "none\n");
}

TEST(Program, MayNeverReadItsInput) {
  const Bytes input(500000);
  ProgramRun run = shell("exec echo done");
  run.input = input;
  EXPECT_EQ(as_text(must(run_program(run)).output), "done\n");
}

TEST(Program, PrintsNoMoreThanAllowed) {
  const auto out = run_program(shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"));
  ASSERT_FALSE(out.has_value());
  EXPECT_EQ(out.error().code(), Code::limit);
}

TEST(Program, IsKilledWhenItTakesTooLong) {
  const auto before = std::chrono::steady_clock::now();
  for (const char* script : {"exec sleep 60", "exec >&-; exec sleep 60"}) {
    ProgramRun run = shell(script);
    run.environment = {{"PATH", "/usr/bin:/bin"}};
    run.patience = std::chrono::seconds(1);
    const auto out = run_program(run);
    ASSERT_FALSE(out.has_value());
    EXPECT_EQ(out.error().code(), Code::unavailable);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
}

TEST(Program, EndsWhenTheUserInterrupts) {
  std::atomic<bool> stop{true};
  ProgramRun run = shell("exec sleep 60");
  run.environment = {{"PATH", "/usr/bin:/bin"}};
  run.cancel = CancelToken(&stop);
  EXPECT_EQ(run_program(run).error().code(), Code::cancelled);
}

TEST(Program, SaysWhatCannotBeRun) {
  ProgramRun run;
  run.arguments = {"/nowhere/signer"};
  const auto out = run_program(run);
  ASSERT_FALSE(out.has_value());
  EXPECT_EQ(out.error().code(), Code::io);
  EXPECT_NE(out.error().what().find("'/nowhere/signer' cannot be run"), std::string::npos);
}

TEST(Program, AnswersWhetherASignalEndedIt) {
  EXPECT_EQ(must(run_program(shell("kill -9 $$"))).status, -1);
}

}  // namespace
}  // namespace cloister
