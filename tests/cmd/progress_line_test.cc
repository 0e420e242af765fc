#include "cmd/progress_line.h"

#include <gtest/gtest.h>

namespace cloister::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Transfer kHalf{"b33217e954bc", "pulling", 40U << 20, 20U << 20, milliseconds(4000)};

TEST(ProgressLine, ShowsBytesRateAndRemainingTime) {
  EXPECT_EQ(
      progress_line(kHalf, 100),
      "b33217e954bc  pulling [###############---------------] 20.0 MiB / 40.0 MiB  5.0 MiB/s  5s "
      "left");
  EXPECT_EQ(plain_progress_line(kHalf),
            "b33217e954bc  pulling: 20.0 MiB / 40.0 MiB, 5.0 MiB/s, 5s left");
}

TEST(ProgressLine, NeverExceedsTheTerminal) {
  for (std::size_t columns = 1; columns < 130; ++columns) {
    EXPECT_LE(progress_line(kHalf, columns).size(), columns);
    EXPECT_LE(progress_line({"id", "indexing", 0, 5, milliseconds(1)}, columns).size(), columns);
  }
  EXPECT_EQ(progress_line(kHalf, 56), "b33217e954bc  pulling 20.0 MiB / 40.0 MiB  5.0 MiB/s");
}

TEST(ProgressLine, SaysNothingOfWhatItCannotKnow) {
  Transfer fresh = kHalf;
  fresh.elapsed = milliseconds(10);
  EXPECT_EQ(plain_progress_line(fresh), "b33217e954bc  pulling: 20.0 MiB / 40.0 MiB");
  EXPECT_EQ(plain_progress_line({"id", "pulling", 0, 1 << 20, seconds(2)}),
            "id  pulling: 1.0 MiB, 512.0 KiB/s");
  Transfer over = kHalf;  // a server that sends more than it said
  over.done = UINT64_MAX;
  EXPECT_LE(progress_line(over, 80).size(), 80U);
}

TEST(ProgressLine, EndsWithTimeAndRateWhenItTookAWhile) {
  Transfer done = kHalf;
  done.done = done.total;
  EXPECT_EQ(finished_line(done, "done"), "b33217e954bc  pulling: done  40.0 MiB in 4s, 10.0 MiB/s");
  EXPECT_EQ(finished_line(done, "already there"), "b33217e954bc  pulling: already there  40.0 MiB");
  done.elapsed = milliseconds(20);
  EXPECT_EQ(finished_line(done, "done"), "b33217e954bc  pulling: done  40.0 MiB");
}

TEST(ProgressLine, WritesDurationsShort) {
  EXPECT_EQ(short_duration(seconds(4)), "4s");
  EXPECT_EQ(short_duration(seconds(200)), "3m20s");
  EXPECT_EQ(short_duration(seconds(7500)), "2h05m");
}

}  // namespace
}  // namespace cloister::cmd
