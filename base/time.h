// Points in time as the formats write them. Libraries never ask the clock: cmd/ passes dates in.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister {

using Seconds = std::chrono::sys_seconds;  // since 1970-01-01 UTC, without leap seconds

// RFC 3339, "2023-11-14T22:13:20Z": fractions are dropped, offsets applied.
Result<Seconds> parse_rfc3339(std::string_view text);
std::string format_rfc3339(Seconds time);  // always UTC, whole seconds
// "YYYY-MM-DD".
Result<std::chrono::year_month_day> parse_date(std::string_view text);
std::string format_date(std::chrono::year_month_day date);
std::string date_of(Seconds time);  // "YYYY-MM-DD", in UTC

}  // namespace cloister
