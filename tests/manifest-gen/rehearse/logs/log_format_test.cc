#include "manifest-gen/rehearse/logs/log_format.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "manifest-gen/rehearse/run_json.h"
#include "tests/base/must.h"
#include "tests/base/pieces_source.h"

namespace cloister::manifest {
namespace {

TEST(LogFormat, EachIsKnownByItsBeginning) {
  EXPECT_EQ(log_format(" \n{\"schemaVersion\":1}"), LogFormat::run);
  EXPECT_EQ(log_format("Starting…\n10 close(3) = 0\n"), LogFormat::strace);
  EXPECT_EQ(log_format("getpid()                                = 5\n"), LogFormat::strace);
  EXPECT_EQ(log_format("debug: Gramine was built from commit: 1.3.1\nhello\n"), LogFormat::gramine);
  EXPECT_EQ(log_format("x = f(1) = 2\n[P1:T1:a] debug: x\n[P1:T1:a] debug: y\n"),
            LogFormat::gramine);
  // Gramine's messages as strings of a trace of Gramine.
  EXPECT_EQ(log_format("write(2, \"[P1:T1:a] debug: x\\n\", 20) = 20\n"), LogFormat::strace);
  for (const std::string_view other : {"", "hello\nworld\n",
                                       "\x7f"
                                       "ELF",
                                       "<html>", "debug: x\n"})
    EXPECT_EQ(log_format(other), LogFormat::unknown) << other;
}

TEST(LogFormat, WhatIsNoLogIsRefusedWithAdvice) {
  for (const std::string_view other : {"", "hello\n", "{\"a\":1}", "{"}) {
    const auto result = read_observed_run(other, {}, Limits{}, "'a.log'");
    ASSERT_FALSE(result.has_value()) << other;
    EXPECT_EQ(result.error().code(), Code::corrupt) << other;
    EXPECT_FALSE(result.error().hint().empty()) << other;
  }
}

TEST(LogFormat, ARunInJsonIsReadAsItIs) {
  ObservedRun run;
  run.source = "rehearsal";
  run.paths["/a"].of(FileUse::read).done = 1;
  EXPECT_EQ(must(read_observed_run(run_json(run), {}, Limits{}, "a run")), run);
}

TEST(LogFormat, HowALogIsCutIntoPiecesDoesNotMatter) {
  std::string log;
  for (int i = 0; i < 40000; ++i)
    log += cat("1", i % 3, " openat(AT_FDCWD, \"/file", i % 500, "\", O_RDONLY) = 3\n");
  log += "10 openat(AT_FDCWD, \"/last\", O_RDONLY) = 3";
  ASSERT_GT(log.size(), 1U << 20);  // beyond what tells logs apart
  const ObservedRun whole = must(read_observed_run(log, {}, Limits{}, "a log"));
  EXPECT_EQ(whole.paths.size(), 501U);
  EXPECT_EQ(whole.paths.at("/file7").of(FileUse::read).done, 80U);
  PiecesSource pieces(as_bytes(log), 4093);
  EXPECT_EQ(must(read_observed_run(pieces, {}, Limits{}, "a log")), whole);
  std::string crlf;
  for (const char c : log) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(must(read_observed_run(crlf, {}, Limits{}, "a log")), whole);
}

TEST(LogFormat, AnErrorSaysInWhichLine) {
  Limits limits;
  limits.observed_paths = 1;
  const auto result =
      read_observed_run("stat(\"/a\", 0x1) = 0\nstat(\"/b\", 0x1) = 0\n", {}, limits, "'a.log'");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().trace().front(), "reading line 2");
}

}  // namespace
}  // namespace cloister::manifest
