// Pauses are random over their whole range ("full jitter"): many builds that a registry threw out
// at one moment must not all come back at the next.
#include "oci/registry/retry.h"

#include <algorithm>
#include <array>
#include <random>
#include <thread>

#include "base/text.h"
#include "base/time.h"

namespace cloister::oci {
namespace {

using std::chrono::milliseconds;

// "Sun, 06 Nov 1994 08:49:37 GMT", the one date form that HTTP servers may send.
std::optional<Seconds> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = parse_u64(text.substr(5, 2)), year = parse_u64(text.substr(12, 4)),
             hour = parse_u64(text.substr(17, 2)), minute = parse_u64(text.substr(20, 2)),
             second = parse_u64(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace

bool is_temporary(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<std::chrono::seconds> retry_after(const http::Response& response) {
  const auto value = response.header("retry-after");
  if (!value) return std::nullopt;
  constexpr std::uint64_t kDay = 86400;
  if (const auto seconds = parse_u64(*value))
    return std::chrono::seconds(std::min<std::uint64_t>(*seconds, kDay));
  const auto then = parse_http_date(*value);
  const auto now = parse_http_date(response.header("date").value_or(""));
  if (!then || !now || *then < *now) return std::nullopt;
  return *then - *now;
}

Status pause_for(milliseconds time, CancelToken cancel) {
  constexpr milliseconds kSlice{100};
  while (time > milliseconds(0)) {
    CL_CHECK(cancel.check());
    const auto slice = std::min(time, kSlice);
    std::this_thread::sleep_for(slice);
    time -= slice;
  }
  return cancel.check();
}

milliseconds Retry::random_pause(milliseconds first, unsigned tries) const {
  const auto bound = std::min<milliseconds>(
      policy_.longest_pause,
      first * static_cast<milliseconds::rep>(1U << std::min(tries - 1, 20U)));
  if (policy_.random) return milliseconds(policy_.random(bound.count()));
  std::random_device device;
  return milliseconds(std::uniform_int_distribution<milliseconds::rep>(0, bound.count())(device));
}

Status Retry::pause(milliseconds time) const {
  return policy_.sleep ? policy_.sleep(time) : pause_for(time, cancel_);
}

Result<bool> Retry::after_fault() {
  if (++faults_ >= policy_.connection_tries) return false;
  CL_CHECK(pause(random_pause(policy_.connection_pause, faults_)));
  return true;
}

Result<bool> Retry::after_answer(const http::Response& response) {
  if (++answers_ >= policy_.answer_tries) return false;
  milliseconds time = random_pause(policy_.answer_pause, answers_);
  if (const auto asked = retry_after(response))
    time = std::min<milliseconds>(*asked, policy_.longest_pause);
  CL_CHECK(pause(time));
  return true;
}

}  // namespace cloister::oci
