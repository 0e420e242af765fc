// The output of strace, in every form that people have: -f with "[pid N]" or "N" before a line, one
// file of -ff, times (-t, -tt, -ttt, -r, -T), numbers (-n, -i), descriptors with what they stand
// for
// (-y, -yy), calls that are interrupted by lines of others, -o or the terminal's mixture with what
// the program itself prints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "manifest-gen/rehearse/logs/call_tracker.h"

namespace cloister::manifest {

class StraceReader {
 public:
  StraceReader(LogContext context, const Limits& limits)
      : limits_(limits), tracker_("strace", std::move(context), limits) {}

  // Without its end. A line that is no call of strace's is passed over: programs print, too.
  Status line(std::string_view line);
  std::uint64_t calls() const { return calls_; }  // lines that were understood
  ObservedRun finish();

  // Whether a line looks like strace's, for telling logs apart.
  static bool recognises(std::string_view line);

 private:
  struct Pending {
    std::string name, text;  // "openat", "openat(AT_FDCWD, \"/etc/passwd\", "
  };
  // What stands before a call.
  struct Prefix {
    std::optional<std::uint64_t> task;
    std::optional<double> time, since;  // absolute seconds or of the day; since the last line
  };
  static Prefix take_prefix(std::string_view& line);
  static bool is_record(std::string_view line);  // without what stands before it
  std::uint64_t task_of(const Prefix& prefix);
  void stamp(const Prefix& prefix);
  Status whole_line(std::string_view line);
  Status resumed(std::uint64_t task, std::string_view rest);
  Status call(std::uint64_t task, std::string_view text);
  void unfinished(std::uint64_t task, std::string_view text);
  void ended(std::uint64_t task, std::string_view rest);
  void drop_pending(std::uint64_t task);
  void forget(std::uint64_t task);

  const Limits& limits_;
  CallTracker tracker_;
  std::map<std::uint64_t, Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::string broken_;                 // a line that such a message has broken off
  std::set<std::uint64_t> announced_;  // by "strace: Process N attached"
  std::uint64_t calls_ = 0, incomplete_ = 0;
  std::uint64_t last_task_ = 0;
  double first_time_ = -1, last_time_ = 0, days_ = 0, elapsed_ = 0;
};

}  // namespace cloister::manifest
