#include "oci/registry/retry.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/base/must.h"

namespace cloister::oci {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

http::Response with(std::vector<http::Header> headers) {
  http::Response response;
  response.headers = std::move(headers);
  return response;
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(retry_after(with({{"retry-after", "7"}})), seconds(7));
  EXPECT_EQ(retry_after(with({{"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"},
                              {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}})),
            seconds(30));
}

TEST(RetryAfter, IgnoresWhatItCannotPlaceInTime) {
  EXPECT_FALSE(retry_after(with({})));
  for (const char* value : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:50:07 GMT"})
    EXPECT_FALSE(retry_after(with({{"retry-after", value}}))) << value;
  // Before the answer's own time.
  EXPECT_FALSE(retry_after(with({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"date", "Sun, 06 Nov 1994 08:50:07 GMT"}})));
  for (const char* bad : {"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 28:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"})
    EXPECT_FALSE(
        retry_after(with({{"retry-after", bad}, {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}})))
        << bad;
}

TEST(RetryAfter, HugeNumbersAreBounded) {
  EXPECT_EQ(retry_after(with({{"retry-after", "18446744073709551615"}})), seconds(86400));
}

TEST(Retry, CountsFaultsAndAnswersApart) {
  RetryPolicy policy;
  policy.connection_pause = policy.answer_pause = milliseconds(1);
  Retry retry(policy, {});
  for (unsigned i = 1; i < policy.connection_tries; ++i) EXPECT_TRUE(must(retry.after_fault()));
  EXPECT_FALSE(must(retry.after_fault()));
  for (unsigned i = 1; i < policy.answer_tries; ++i)
    EXPECT_TRUE(must(retry.after_answer(with({}))));
  EXPECT_FALSE(must(retry.after_answer(with({}))));
}

TEST(Retry, ObeysRetryAfterUpToTheCap) {
  RetryPolicy policy;
  policy.longest_pause = milliseconds(200);
  Retry retry(policy, {});
  const auto begun = Clock::now();
  EXPECT_TRUE(must(retry.after_answer(with({{"retry-after", "3600"}}))));
  EXPECT_GE(Clock::now() - begun, milliseconds(200));
  EXPECT_LT(Clock::now() - begun, seconds(10));
}

TEST(Retry, IsInterruptedWhileItWaits) {
  const std::atomic<bool> flag = true;
  RetryPolicy policy;
  Retry retry(policy, CancelToken(&flag));
  const auto result = retry.after_answer(with({{"retry-after", "60"}}));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::cancelled);
}

TEST(Retry, KnowsTheTemporaryStatuses) {
  for (int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_temporary(status)) << status;
  for (int status : {200, 301, 400, 401, 403, 404, 501, 505}) EXPECT_FALSE(is_temporary(status));
}

}  // namespace
}  // namespace cloister::oci
