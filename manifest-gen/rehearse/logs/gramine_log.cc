// Messages are lines "[P1:T2:redis-server] warning: text"; debug builds put "(file.c:12:function) "
// before them, early ones have no thread, and all of them are mixed with what the program prints,
// often on one line. A trace message is cut into pieces of 256 bytes, each a line of its own.
//
// Names in policy messages are those of the host: mounts, which the log tells at level debug, lead
// back to the enclave's. Gramine 1.9 gives only the last component there, which is of no use.
#include "manifest-gen/rehearse/logs/gramine_log.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/rehearse/logs/gramine_arguments.h"
#include "manifest-gen/rehearse/system_calls.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {
namespace {

constexpr auto kNowhere = std::string_view::npos;
constexpr std::size_t kMaxNameBytes = 64;  // of a program in a message's prefix
constexpr std::size_t kMaxMounts = 4096;
constexpr std::size_t kHeldLines = 16;       // of the greatest length, held together
constexpr std::size_t kMaxResultBytes = 32;  // ") = -9223372036854775808"

std::size_t leading_digits(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return std::min(end, text.size());
}

struct PolicyText {
  std::string_view begin, end;
  FileUse use;
  bool allowed;
  bool bare;  // a name without its directory
};
// The first that fits counts.
constexpr std::array<PolicyText, 14> kPolicyTexts = {{
    {"Allowing access to unknown file '", "' due to file_check_policy settings", FileUse::read,
     true, false},
    {"Allowing access to unknown file '", "' due to file_check_policy", FileUse::read, true, true},
    {"Allowing access to unknown file due to file_check_policy settings: ", "", FileUse::read, true,
     false},
    {"Allowing access to an unknown file due to file_check_policy settings: ", "", FileUse::read,
     true, false},
    {"Allowing access to unknown device '", "' due to file_check_policy", FileUse::read, true,
     false},
    {"Allowing creating unknown file '", "' due to file_check_policy", FileUse::create, true,
     false},
    {"Disallowing access to file '", "'; file is not allowed.", FileUse::read, false, true},
    {"Disallowing access to file '", "'; file is not", FileUse::read, false, false},
    {"Disallowing access to device '", "'; device is not", FileUse::read, false, false},
    {"Disallowing create/write/append to a trusted file '", "'", FileUse::write, false, false},
    {"Disallowing write/append to a trusted file '", "'", FileUse::write, false, true},
    {"Disallowing creating a trusted file '", "'", FileUse::create, false, false},
    {"Disallowing creating file '", "'; file is not", FileUse::create, false, false},
    {"Accessing ", " is denied", FileUse::read, false, false},
}};

bool is_policy(std::string_view text) {
  return text.starts_with("Allowing ") || text.starts_with("Disallowing ") ||
         text.starts_with("Accessing file:");
}

std::string_view level_of(std::string_view& text) {
  static constexpr std::array<std::string_view, 4> kLevels = {"trace", "debug", "warning", "error"};
  for (const std::string_view level : kLevels)
    if (text.starts_with(level) && text.substr(level.size()).starts_with(": ")) {
      text.remove_prefix(level.size() + 2);
      return level;
    }
  return {};
}

std::string_view without_scheme(std::string_view uri) {
  for (const std::string_view scheme : {"file:", "dev:"})
    if (uri.starts_with(scheme)) return uri.substr(scheme.size());
  return uri;
}

bool makes_task(std::string_view name) {
  return name == "clone" || name == "fork" || name == "vfork";
}

}  // namespace

std::optional<GramineReader::Message> GramineReader::message_of(std::string_view line) {
  for (std::size_t at = line.find("[P"); at != kNowhere; at = line.find("[P", at + 2)) {
    Message out;
    std::string_view rest = line.substr(at + 2);
    const std::size_t digits = leading_digits(rest);
    if (digits == 0 || digits > 19 || digits >= rest.size() || rest[digits] != ':') continue;
    out.process = parse_u64(rest.substr(0, digits)).value_or(0);
    rest.remove_prefix(digits + 1);
    if (rest.starts_with('T')) {
      const std::size_t number = leading_digits(rest.substr(1));
      out.task = number <= 19 ? parse_u64(rest.substr(1, number)).value_or(0) : 0;
    }
    const std::size_t close = rest.substr(0, kMaxNameBytes + 32).find("] ");
    if (close == kNowhere) continue;
    rest.remove_prefix(close + 2);
    out.level = level_of(rest);
    out.text = rest;
    if (!out.level.empty() || is_policy(rest)) return out;
  }
  Message out;
  if (line.starts_with('('))
    if (const std::size_t close = line.substr(0, 256).find(") "); close != kNowhere)
      line.remove_prefix(close + 2);
  out.level = level_of(line);
  out.text = line;
  if (!out.level.empty() || is_policy(line)) return out;
  return {};
}

bool GramineReader::recognises(std::string_view line) {
  const auto message = message_of(line);
  if (!message) return false;
  if (message->process != 0 || is_policy(message->text)) return true;
  return message->text.starts_with("Gramine ") || message->text.starts_with("mounting \"") ||
         message->text.starts_with("LibOS ");
}

Status GramineReader::line(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  const auto message = message_of(line);
  if (!message) return {};
  if (message->process != 0 || is_policy(message->text)) ++messages_;
  belongs(*message);
  if (is_policy(message->text)) {
    policy(message->text);
    return {};
  }
  if (message->level == "trace") return trace(*message);
  if (message->level == "debug") return debug(*message);
  constexpr std::string_view kUnsupported = "Unsupported system call ";
  if (message->text.starts_with(kUnsupported)) {
    const std::string_view what = trim(message->text.substr(kUnsupported.size()));
    const auto number = parse_u64(what);
    std::string name(what.substr(0, kMaxNameBytes));
    if (number && *number < static_cast<std::uint64_t>(kSystemCalls)) {
      const std::string_view known = system_call_name(static_cast<int>(*number));
      if (!known.empty()) name = known;
    }
    if (!name.empty()) tracker_.unimplemented(name);
  }
  return {};
}

// Which process a thread is of.
void GramineReader::belongs(const Message& message) {
  if (message.process == 0 || message.task == 0 || processes_.size() >= limits_.log_tasks) return;
  std::set<std::uint64_t>& tasks = processes_[message.process];
  if (tasks.size() >= limits_.log_tasks || tasks.contains(message.task)) return;
  if (!tasks.empty()) tracker_.join(message.task, *tasks.begin());
  tasks.insert(message.task);
}

void GramineReader::ended(std::uint64_t process) {
  const auto found = processes_.find(process);
  if (found == processes_.end()) return;
  for (const std::uint64_t task : found->second) {
    drop_task(task);
    tracker_.exited(task, {}, {});
  }
  processes_.erase(found);
}

// --- The policy
// -----------------------------------------------------------------------------------

void GramineReader::policy(std::string_view text) {
  for (const PolicyText& row : kPolicyTexts) {
    if (!text.starts_with(row.begin)) continue;
    std::string_view path = text.substr(row.begin.size());
    if (!row.end.empty()) {
      const std::size_t end = path.rfind(row.end);
      if (end == kNowhere) continue;
      path = path.substr(0, end);
    }
    (row.allowed ? allowed_any_ : refused_any_) = true;
    path = without_scheme(path);
    if (row.bare || path.empty() || path.size() > limits_.path_bytes) {
      ++nameless_;
      return;
    }
    auto found = policy_.find(std::string(path));
    if (found == policy_.end()) {
      policy_bytes_ += path.size();
      if (policy_.size() >= limits_.observed_paths || policy_bytes_ > limits_.observed_path_bytes) {
        ++incomplete_;
        return;
      }
      found = policy_.emplace(path, Policy{}).first;
    }
    found->second.use = std::max(found->second.use, row.use);
    ++(row.allowed ? found->second.allowed : found->second.refused);
    return;
  }
}

std::optional<std::string> GramineReader::enclave_path(std::string_view host) const {
  const bool absolute = host.starts_with('/');
  const std::string path = absolute ? measure::normalize_path(host) : std::string(host);
  const Mounted* best = nullptr;
  for (const Mounted& mount : mounts_) {
    const bool relative = mount.uri == "." || mount.uri.empty();
    const bool holds =
        absolute ? !relative && is_within(path, mount.uri)
                 : relative || (!mount.uri.starts_with('/') && is_within(path, mount.uri));
    if (holds && (best == nullptr || best->uri.size() < mount.uri.size())) best = &mount;
  }
  if (best == nullptr) {
    if (!absolute) return {};
    return path;
  }
  const bool whole = best->uri == "." || best->uri.empty() || best->uri == "/";
  return measure::normalize_path(
      cat(best->path, "/", whole ? path : path.substr(best->uri.size())));
}

// --- The trace
// ------------------------------------------------------------------------------------

Status GramineReader::trace(const Message& message) {
  constexpr std::string_view kCall = "---- ";
  if (message.task == 0) return {};
  const bool begins = message.text.starts_with(kCall);
  auto found = tasks_.find(message.task);
  if (found == tasks_.end()) {
    if (!begins) return {};
    if (tasks_.size() >= limits_.log_tasks)
      return Error::limit(cat("more than ", limits_.log_tasks, " threads at one time"));
    found = tasks_.emplace(message.task, Task{}).first;
  }
  Task& state = found->second;
  if (!begins && state.partial.empty()) return {};
  std::string whole = std::move(state.partial);
  state.partial.clear();
  held_ -= whole.size();
  if (begins && !whole.empty()) {
    ++incomplete_;
    whole.clear();
  }
  const std::string_view piece = begins ? message.text.substr(kCall.size()) : message.text;
  whole += piece;
  // Only the end tells: pieces are many.
  const std::string_view end = std::string_view(whole).substr(
      whole.size() - std::min(whole.size(), piece.size() + kMaxResultBytes));
  const std::size_t result = end.rfind(") = ");
  LoggedCall ignored;
  const bool complete =
      end.ends_with(") ...") || end.ends_with("()") ||
      (result != kNowhere && parse_gramine_result(end.substr(result + 4), ignored));
  if (complete) return traced(message.task, whole);
  if (whole.size() <= limits_.log_line_bytes && hold(whole.size()))
    state.partial = std::move(whole);
  return {};
}

bool GramineReader::hold(std::size_t bytes) {
  if (held_ + bytes > kHeldLines * limits_.log_line_bytes) {
    ++incomplete_;
    return false;
  }
  held_ += bytes;
  return true;
}

void GramineReader::drop_call(Task& task) {
  task.call.reset();
  held_ -= task.held;
  task.held = 0;
}

void GramineReader::drop_task(std::uint64_t task) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return;
  drop_call(found->second);
  held_ -= found->second.partial.size();
  tasks_.erase(found);
}

Status GramineReader::traced(std::uint64_t task, std::string_view text) {
  constexpr std::string_view kReturn = "return from ";
  Task& state = tasks_.at(task);
  if (text.starts_with(kReturn)) return returned(state, text.substr(kReturn.size()));
  if (state.call) {
    // A call that never returned: an execve that went well, or one that a signal ended.
    LoggedCall begun = *std::move(state.call);
    drop_call(state);
    if (begun.name == "execve") begun.outcome = LoggedCall::Outcome::done;
    CL_CHECK(count(begun));
  }
  const std::size_t open = text.find('(');
  if (open == kNowhere || open == 0 || open > kMaxNameBytes) return {};
  LoggedCall call;
  call.task = task;
  call.name = text.substr(0, open);
  if (call.name.starts_with("shim_")) call.name.erase(0, 5);
  const bool begins = text.ends_with(") ...");
  const std::size_t end = begins ? text.size() - 5 : std::max(text.rfind(") = "), open);
  if (!parse_gramine_arguments(text.substr(open + 1, end - open - 1), call)) {
    ++ambiguous_;
    call.arguments.clear();
  }
  if (begins) {
    if (makes_task(call.name)) tracker_.begin_clone(task, text.find("CLONE_THREAD") != kNowhere);
    std::size_t bytes = 0;
    for (const LoggedArgument& argument : call.arguments) bytes += argument.value.size();
    if (!hold(bytes)) return {};
    state.held = bytes;
    state.call = std::move(call);
    return {};
  }
  if (end > open && text.size() > end + 4) parse_gramine_result(text.substr(end + 4), call);
  return count(call);
}

Status GramineReader::returned(Task& task, std::string_view text) {
  if (!task.call) return {};
  std::string_view name = text.substr(0, text.find('('));
  if (name.starts_with("shim_")) name.remove_prefix(5);
  LoggedCall call = *std::move(task.call);
  drop_call(task);
  if (call.name != name) {
    ++incomplete_;
    return {};
  }
  const std::size_t result = text.rfind(") = ");
  if (result != kNowhere) parse_gramine_result(text.substr(result + 4), call);
  return count(call);
}

Status GramineReader::count(const LoggedCall& call) {
  ++calls_;
  return tracker_.call(call);
}

// --- Other messages
// -------------------------------------------------------------------------------

Status GramineReader::debug(const Message& message) {
  const std::string_view text = message.text;
  constexpr std::string_view kMounting = "mounting \"", kLoading = "loading \"", kUnder = " under ",
                             kProcess = "process ", kExited = " exited with status ";
  if (text.starts_with(kMounting)) {
    const std::size_t close = text.find("\" (", kMounting.size()), under = text.find(kUnder);
    if (close == kNowhere || under == kNowhere || under < close || mounts_.size() >= kMaxMounts)
      return {};
    const std::string_view uri = text.substr(kMounting.size(), close - kMounting.size());
    const std::string_view path = text.substr(under + kUnder.size());
    if (!uri.starts_with("file:") || !path.starts_with('/') || path.size() > limits_.path_bytes)
      return {};
    const std::string_view host = without_scheme(uri);
    mounts_.push_back({host.starts_with('/') ? measure::normalize_path(host)
                                             : std::string(host.substr(0, limits_.path_bytes)),
                       measure::normalize_path(path)});
  } else if (text.starts_with(kLoading) && text.ends_with('"') && message.task != 0) {
    const auto path = enclave_path(
        without_scheme(text.substr(kLoading.size(), text.size() - kLoading.size() - 1)));
    if (!path) return {};
    if (!tracker_.has_program(message.task)) tracker_.set_program(message.task, *path);
    return tracker_.use(message.task, *path, FileUse::execute, LoggedCall::Outcome::done);
  } else if (text.starts_with("---- exit (returning ")) {
    drop_task(message.task);
    tracker_.exited(message.task, {}, {});
    if (const auto own = processes_.find(message.process); own != processes_.end())
      own->second.erase(message.task);
  } else if (text.starts_with(kProcess)) {
    const std::size_t digits = leading_digits(text.substr(kProcess.size()));
    const std::string_view rest = text.substr(kProcess.size() + digits);
    if (digits == 0 || !rest.starts_with(kExited)) return {};
    const std::string_view number = rest.substr(kExited.size());
    const auto status = parse_u64(number.substr(0, leading_digits(number)));
    if (message.process == 1 && status && *status < 256)
      tracker_.set_exit_status(static_cast<int>(*status));
    ended(message.process);
  }
  return {};
}

Result<ObservedRun> GramineReader::finish() {
  std::uint64_t elsewhere = 0;
  for (const auto& [host, seen] : policy_) {
    const auto path = enclave_path(host);
    if (!path) {
      ++elsewhere;
      continue;
    }
    // A trace has told of it already, and how it was opened.
    if (tracker_.has_path(*path)) continue;
    CL_CHECK(tracker_.use({}, *path, seen.use, LoggedCall::Outcome::done, seen.allowed));
    CL_CHECK(tracker_.use({}, *path, seen.use, LoggedCall::Outcome::refused, seen.refused));
  }
  tracker_.set_learning(allowed_any_ && !refused_any_);
  if (nameless_ > 0 && calls_ == 0)
    tracker_.note(cat(nameless_, nameless_ == 1 ? " file is" : " files are",
                      " left out: Gramine 1.9 names them without their directory unless "
                      "loader.log_level is \"trace\""));
  if (elsewhere > 0)
    tracker_.note(cat(elsewhere, elsewhere == 1 ? " file is" : " files are",
                      " left out: their path is relative to a directory of the host"));
  if (!policy_.empty() && calls_ == 0)
    tracker_.note(
        "the log says that files were opened, not whether they were written: loader.log_level = "
        "\"trace\" tells");
  if (ambiguous_ > 0)
    tracker_.note(cat(ambiguous_, ambiguous_ == 1 ? " call is" : " calls are",
                      " left out: a name with a quote in it cannot be told from its end"));
  if (incomplete_ > 0)
    tracker_.note(cat(incomplete_, incomplete_ == 1 ? " message is" : " messages are",
                      " left out: only a part is in the log"));
  return tracker_.finish();
}

}  // namespace cloister::manifest
