#include "base/time.h"

#include <cstdio>

#include "base/text.h"

namespace cloister {
namespace {

// Exactly `digits` decimal digits at the front of `text`, removed from it; -1 otherwise.
int take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::chrono::year_month_day& out) {
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, '-')) return false;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, '-')) return false;
  const int day = take_digits(text, 2);
  if (day < 0) return false;
  out = std::chrono::year(year) / month / day;
  return out.ok();
}

}  // namespace

Result<Seconds> parse_rfc3339(std::string_view text) {
  const Error bad = Error::corrupt(cat("not an RFC 3339 time: ", quote(text.substr(0, 64))));
  std::chrono::year_month_day date;
  if (!take_date(text, date)) return bad.clone();
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return bad.clone();
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return bad.clone();
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return bad.clone();
  const int second = take_digits(text, 2);
  if (second < 0 || second > 60) return bad.clone();  // 60: a leap second
  if (take(text, '.')) {
    if (take_digits(text, 1) < 0) return bad.clone();
    while (take_digits(text, 1) >= 0) {
    }
  }
  int offset = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool negative = take(text, '-');
    if (!negative && !take(text, '+')) return bad.clone();
    const int h = take_digits(text, 2);
    if (h < 0 || h > 23 || !take(text, ':')) return bad.clone();
    const int m = take_digits(text, 2);
    if (m < 0 || m > 59) return bad.clone();
    offset = (negative ? -1 : 1) * (h * 60 + m);
  }
  if (!text.empty()) return bad.clone();
  return Seconds(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - offset) + std::chrono::seconds(second);
}

std::string format_rfc3339(Seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(time - day);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "T%02d:%02d:%02dZ", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return format_date(std::chrono::year_month_day(day)) + buffer;
}

Result<std::chrono::year_month_day> parse_date(std::string_view text) {
  std::string_view rest = text;
  std::chrono::year_month_day date;
  if (!take_date(rest, date) || !rest.empty())
    return Error::invalid(cat("not a date: ", quote(text.substr(0, 64))))
        .hint("write YYYY-MM-DD, for example 2024-01-02");
  return date;
}

std::string format_date(std::chrono::year_month_day date) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return buffer;
}

std::string date_of(Seconds time) {
  return format_date(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)));
}

}  // namespace cloister
