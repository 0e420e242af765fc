// One transfer or pass as a line, and what it says of rate and remaining time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cloister::cmd {

struct Transfer {
  std::string id, action;
  std::uint64_t total = 0, done = 0;  // bytes; total 0: unknown
  std::chrono::milliseconds elapsed{};
};

// "b33217e954bc  pulling [####----] 12.3 MiB / 41.3 MiB  8.1 MiB/s  4s left", at most `columns`
// wide: what does not fit is left out, the bar last of all but the amount.
std::string progress_line(const Transfer& transfer, std::size_t columns);
// "b33217e954bc  pulling: 12.3 MiB / 41.3 MiB, 8.1 MiB/s, 4s left", for logs.
std::string plain_progress_line(const Transfer& transfer);
// "b33217e954bc  pulling: done  41.3 MiB"; with time and rate when it took a while.
std::string finished_line(const Transfer& transfer, std::string_view outcome);

// "4s", "3m20s", "2h05m".
std::string short_duration(std::chrono::seconds time);

}  // namespace cloister::cmd
