#include "cmd/progress_line.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {
namespace {

constexpr std::chrono::milliseconds kWorthTelling{1000};
constexpr std::size_t kWidestBar = 30;

// Bytes per second; 0 while there is too little to tell.
std::uint64_t rate_of(const Transfer& t) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(t.elapsed.count(), 0));
  if (t.elapsed < kWorthTelling || t.done > UINT64_MAX / 1000) return 0;
  return t.done * 1000 / ms;
}

std::string rate_text(std::uint64_t rate) {
  return rate == 0 ? "" : human_bytes(rate) + "/s";
}

std::string left_text(const Transfer& t, std::uint64_t rate) {
  if (rate == 0 || t.done >= t.total) return "";
  return short_duration(std::chrono::seconds((t.total - t.done) / rate + 1)) + " left";
}

std::string amount_of(const Transfer& t) {
  const std::string done = human_bytes(t.done);
  return t.total == 0 ? done : cat(done, " / ", human_bytes(t.total));
}

std::string two_digits(std::int64_t n) {
  return cat(n < 10 ? "0" : "", n);
}

}  // namespace

std::string short_duration(std::chrono::seconds time) {
  const std::int64_t s = std::max<std::int64_t>(time.count(), 0);
  if (s < 60) return cat(s, "s");
  if (s < 3600) return cat(s / 60, "m", two_digits(s % 60), "s");
  return cat(s / 3600, "h", two_digits(s / 60 % 60), "m");
}

std::string progress_line(const Transfer& t, std::size_t columns) {
  std::string head = cat(t.id, "  ", t.action), tail = amount_of(t);
  const std::uint64_t rate = rate_of(t);
  for (const std::string& part : {rate_text(rate), left_text(t, rate)})
    if (!part.empty() && head.size() + tail.size() + part.size() + 3 <= columns)
      tail += cat("  ", part);
  const std::size_t used = head.size() + tail.size() + 4;  // two blanks, two brackets
  if (t.total > 0 && columns >= used + 5) {
    const std::size_t width = std::min(columns - used, kWidestBar);
    const auto share =
        static_cast<double>(std::min(t.done, t.total)) / static_cast<double>(t.total);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    head += cat(" [", std::string(full, '#'), std::string(width - full, '-'), "]");
  }
  std::string line = cat(head, " ", tail);
  if (line.size() > columns) line.resize(columns);
  return line;
}

std::string plain_progress_line(const Transfer& t) {
  std::string line = cat(t.id, "  ", t.action, ": ", amount_of(t));
  const std::uint64_t rate = rate_of(t);
  for (const std::string& part : {rate_text(rate), left_text(t, rate)})
    if (!part.empty()) line += cat(", ", part);
  return line;
}

std::string finished_line(const Transfer& t, std::string_view outcome) {
  std::string line = cat(t.id, "  ", t.action, ": ", outcome);
  if (t.total > 0) line += cat("  ", human_bytes(t.total));
  if (const std::uint64_t rate = rate_of(t); rate > 0 && outcome == "done")
    line += cat(" in ", short_duration(std::chrono::duration_cast<std::chrono::seconds>(t.elapsed)),
                ", ", human_bytes(rate), "/s");
  return line;
}

}  // namespace cloister::cmd
