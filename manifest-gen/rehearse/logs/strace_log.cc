// A line is a call when a name and a '(' follow what -f, -t and the like put before it, and when
// its arguments and its result can be made out; all else is the program's own output, or strace's
// messages to people. A call that others interrupt comes in two pieces:
//   12 openat(AT_FDCWD, "/etc/passwd",  <unfinished ...>
//   12 <... openat resumed>O_RDONLY) = 3
// On a terminal strace also breaks a line off to say that it follows a new process, and numbers
// processes only while there is more than one.
#include "manifest-gen/rehearse/logs/strace_log.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "manifest-gen/rehearse/logs/strace_arguments.h"

namespace cloister::manifest {
namespace {

constexpr auto kAbsent = std::string_view::npos;
constexpr std::size_t kPendingLines = 16;  // of the greatest length, held together
constexpr std::string_view kUnfinished = "<unfinished ...>";
constexpr std::string_view kAttached = "strace: Process ";

bool is_digit_of_log(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digits_at(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit_of_log(text[n])) ++n;
  return n;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t at = text.find_first_not_of(' ');
  return at == kAbsent ? std::string_view{} : text.substr(at);
}

std::optional<double> decimal_seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value < 1e11))
    return {};
  return value;
}

// The length of a call's name when a '(' follows it, else 0.
std::size_t call_name_length(std::string_view text) {
  std::size_t n = 0;
  while (
      n < text.size() && n < 64 &&
      ((text[n] >= 'a' && text[n] <= 'z') || (n > 0 && is_digit_of_log(text[n])) || text[n] == '_'))
    ++n;
  return n > 0 && n < text.size() && text[n] == '(' ? n : 0;
}

bool makes_process(std::string_view name) {
  return name == "fork" || name == "vfork" || name == "clone" || name == "clone3";
}

// x86-64's numbers.
std::optional<int> signal_number(std::string_view name) {
  static constexpr std::array<std::string_view, 32> kSignals = {
      "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
      "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
      "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};
  if (!name.starts_with("SIG")) return {};
  name.remove_prefix(3);
  for (std::size_t i = 1; i < kSignals.size(); ++i)
    if (kSignals[i] == name) return static_cast<int>(i);
  return {};
}

}  // namespace

StraceReader::Prefix StraceReader::take_prefix(std::string_view& line) {
  Prefix out;
  std::string_view rest = line;
  if (rest.starts_with("[pid ")) {
    std::string_view inside = without_blanks(rest.substr(5));
    const std::size_t digits = digits_at(inside);
    const std::size_t close = rest.find("] ");
    if (digits == 0 || close == kAbsent) return out;
    out.task = parse_u64(inside.substr(0, digits));
    rest = without_blanks(rest.substr(close + 2));
  } else if (const std::size_t digits = digits_at(rest);
             digits > 0 && digits < rest.size() && (rest[digits] == ' ' || rest[digits] == '<')) {
    std::size_t end = digits;
    if (rest[digits] == '<') end = rest.find("> ", digits);  // -Y: the command's name
    if (end == kAbsent) return out;
    out.task = parse_u64(rest.substr(0, digits));
    rest = without_blanks(rest.substr(end == digits ? digits : end + 1));
  }
  // In any number: times, and with -i or -n the instruction and the number of the call.
  while (true) {
    rest = without_blanks(rest);
    const std::size_t end = rest.find(' ');
    if (end == kAbsent) break;
    const std::string_view word = rest.substr(0, end);
    if (word.size() >= 8 && word[2] == ':' && word[5] == ':' && digits_at(word) == 2) {
      const auto hours = parse_u64(word.substr(0, 2)), minutes = parse_u64(word.substr(3, 2));
      const auto seconds = decimal_seconds(word.substr(6));
      if (!hours || !minutes || !seconds) break;
      out.time = static_cast<double>(*hours * 3600 + *minutes * 60) + *seconds;
    } else if (digits_at(word) > 0 && word.find('.') != kAbsent) {
      const auto seconds = decimal_seconds(word);
      if (!seconds) break;
      (*seconds > 1e6 ? out.time : out.since) = *seconds;
    } else if (word == "(+") {
      const std::size_t close = rest.find(')');
      if (close == kAbsent) break;
      out.since = decimal_seconds(trim(rest.substr(2, close - 2)));
      rest = rest.substr(close + 1);
      continue;
    } else if (word.starts_with('[')) {
      const std::size_t close = rest.find(']');
      if (close > 24) break;  // or there is none
      rest = rest.substr(close + 1);
      continue;
    } else {
      break;
    }
    rest = rest.substr(end);
  }
  line = rest;
  return out;
}

bool StraceReader::recognises(std::string_view line) {
  take_prefix(line);
  return is_record(line);
}

bool StraceReader::is_record(std::string_view line) {
  if (line.starts_with("<... ")) return line.find(" resumed>") != kAbsent;
  if (line.starts_with("+++ ")) return line.ends_with(" +++");
  if (line.starts_with("--- SIG")) return line.ends_with(" ---");
  return call_name_length(line) > 0 &&
         (line.find(") = ") != kAbsent || line.find(")  ") != kAbsent ||
          line.ends_with(kUnfinished) || line.find(kAttached) != kAbsent);
}

std::uint64_t StraceReader::task_of(const Prefix& prefix) {
  if (prefix.task) {
    const std::uint64_t task = *prefix.task;
    // The process that had no number while it was alone.
    if (!tracker_.knows(task) && tracker_.knows(0) && !announced_.contains(task)) {
      tracker_.rename(0, task);
      if (auto own = pending_.extract(0); !own.empty()) {
        own.key() = task;
        pending_.insert(std::move(own));
      }
    }
    return last_task_ = task;
  }
  if (tracker_.tasks() == 0 || tracker_.knows(0)) return 0;
  // Alone again.
  if (tracker_.tasks() == 1) return tracker_.any_task();
  return last_task_;
}

void StraceReader::stamp(const Prefix& prefix) {
  if (prefix.since) elapsed_ += *prefix.since;
  if (!prefix.time) return;
  double now = *prefix.time + days_;
  if (now + 43200 < last_time_) {  // midnight has passed
    days_ += 86400;
    now += 86400;
  }
  if (first_time_ < 0) first_time_ = now;
  last_time_ = std::max(last_time_, now);
}

Status StraceReader::line(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return {};
  // strace's own message, alone or in the middle of a line, which then goes on in the next.
  if (const std::size_t at = line.find(kAttached); at != kAbsent && line.ends_with(" attached")) {
    const std::string_view number = line.substr(at + kAttached.size());
    const auto child = parse_u64(number.substr(0, digits_at(number)));
    if (child && tracker_.tasks() > 0 && announced_.size() < limits_.log_tasks)
      announced_.insert(*child);
    if (broken_.size() + at <= limits_.log_line_bytes) broken_ += line.substr(0, at);
    return {};
  }
  if (!broken_.empty()) {
    const std::string joined = std::move(broken_) + std::string(line);
    broken_.clear();
    return whole_line(joined);
  }
  return whole_line(line);
}

Status StraceReader::whole_line(std::string_view line) {
  const Prefix prefix = take_prefix(line);
  if (!is_record(line) || line.starts_with("--- ")) return {};
  const bool resumes = line.starts_with("<... "), ends = line.starts_with("+++ ");
  const std::uint64_t task = task_of(prefix);
  stamp(prefix);
  if (ends) {
    ended(task, line.substr(4));
    return {};
  }
  if (line.ends_with(kUnfinished)) {
    if (resumes) return {};
    unfinished(task, trim(line.substr(0, line.size() - kUnfinished.size())));
    return {};
  }
  if (resumes) return resumed(task, line.substr(5));
  return call(task, line);
}

void StraceReader::unfinished(std::uint64_t task, std::string_view text) {
  const std::string_view name = text.substr(0, call_name_length(text));
  drop_pending(task);
  // Of most calls only the name is counted.
  const bool matters = call_matters(name);
  std::string begun = matters ? std::string(text) : cat(name, "(");
  if (pending_.size() >= limits_.log_tasks ||
      pending_bytes_ + begun.size() > kPendingLines * limits_.log_line_bytes) {
    ++incomplete_;
    return;
  }
  pending_bytes_ += begun.size();
  pending_[task] = {std::string(name), std::move(begun)};
  if (!matters) return;
  if (makes_process(name)) tracker_.begin_clone(task, text.find("CLONE_THREAD") != kAbsent);
}

Status StraceReader::resumed(std::uint64_t task, std::string_view rest) {
  const std::size_t at = rest.find(" resumed>");
  if (at == kAbsent) return {};
  const auto begun = pending_.find(task);
  if (begun == pending_.end() || begun->second.name != rest.substr(0, at)) {
    ++incomplete_;
    return {};
  }
  std::string text = begun->second.text;
  drop_pending(task);
  rest.remove_prefix(at + 9);
  if (text.size() + rest.size() > limits_.log_line_bytes) {
    ++incomplete_;
    return {};
  }
  text += rest;
  return call(task, text);
}

Status StraceReader::call(std::uint64_t task, std::string_view text) {
  LoggedCall call;
  call.task = task;
  const std::size_t length = call_name_length(text);
  call.name = text.substr(0, length);
  const bool matters = call_matters(call.name);
  std::optional<std::size_t> end =
      scan_strace_arguments(text, length + 1, matters ? &call.arguments : nullptr);
  // What came after "resumed>" of a call that only counts may begin in the middle of a string.
  if (!end && !matters && text.rfind(") = ") != kAbsent) end = text.rfind(") = ") + 1;
  if (!end || !parse_strace_result(text.substr(*end), call)) {
    ++incomplete_;
    return {};
  }
  ++calls_;
  call.object = strace_object(text.substr(length + 1));
  if (call.name == "socket" && !call.arguments.empty())
    call.socket = SocketUse{strace_family(call.arguments[0].value), "socket", {}};
  if ((call.name == "bind" || call.name == "connect") && call.arguments.size() > 1)
    call.socket = parse_strace_address(call.arguments[1].value, call.name);
  const bool starts = call.name == "execve" && call.outcome == LoggedCall::Outcome::done &&
                      !tracker_.has_command() && call.arguments.size() > 1;
  CL_CHECK(tracker_.call(call));
  if (starts)
    if (auto argv = parse_strace_strings(call.arguments[1].value))
      tracker_.set_command(*std::move(argv));
  return {};
}

void StraceReader::drop_pending(std::uint64_t task) {
  const auto found = pending_.find(task);
  if (found == pending_.end()) return;
  pending_bytes_ -= found->second.text.size();
  pending_.erase(found);
}

void StraceReader::forget(std::uint64_t task) {
  drop_pending(task);
  announced_.erase(task);
}

void StraceReader::ended(std::uint64_t task, std::string_view rest) {
  constexpr std::string_view kExited = "exited with ", kKilled = "killed by ",
                             kSuperseded = "superseded by execve in pid ";
  ++calls_;
  if (rest.starts_with(kExited)) {
    const auto status =
        parse_u64(rest.substr(kExited.size(), digits_at(rest.substr(kExited.size()))));
    forget(task);
    tracker_.exited(
        task,
        status && *status < 256 ? std::optional<int>(static_cast<int>(*status)) : std::nullopt, {});
  } else if (rest.starts_with(kKilled)) {
    const std::string_view name = rest.substr(kKilled.size());
    forget(task);
    tracker_.exited(task, {}, signal_number(name.substr(0, name.find(' '))));
  } else if (rest.starts_with(kSuperseded)) {
    // A thread became the process: it goes on under the number of its leader.
    const std::string_view digits = rest.substr(kSuperseded.size());
    const auto by = parse_u64(digits.substr(0, digits_at(digits)));
    if (!by || *by == task || !tracker_.knows(*by)) return;
    forget(task);
    tracker_.exited(task, {}, {});
    tracker_.rename(*by, task);
    if (auto begun = pending_.extract(*by); !begun.empty()) {
      begun.key() = task;
      pending_.insert(std::move(begun));
    }
  }
}

ObservedRun StraceReader::finish() {
  tracker_.set_learning(true);
  tracker_.set_seconds(first_time_ >= 0 ? last_time_ - first_time_ : elapsed_);
  if (incomplete_ > 0)
    tracker_.note(cat(incomplete_, incomplete_ == 1 ? " call is" : " calls are",
                      " left out: only a part is in the log"));
  return tracker_.finish();
}

}  // namespace cloister::manifest
