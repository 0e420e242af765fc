// What a log shows is less than what happened. Three rules follow from that:
//  - A descriptor is believed to be what an earlier call opened only when the log also shows that
//    descriptors are closed; `strace -e trace=file` does not.
//  - A process may show before the call that makes it has returned. When only one such call waits,
//    it is that one's; else it waits, without a directory, for the call that names it.
//  - Where the log shows the directory of a process (strace -y), that is the real one. The spelling
//    that led there is kept as long as the real one does not change on its own.
#include "manifest-gen/rehearse/logs/call_tracker.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {
namespace {

using Outcome = LoggedCall::Outcome;

constexpr std::int64_t kAddressSpace = std::int64_t{1} << 47;  // of a program on x86-64
constexpr std::uint64_t kMaxDescriptor = 1U << 20;  // no kernel gives out more by default

std::optional<std::int64_t> descriptor_number(const LoggedCall& call, std::size_t index) {
  if (index >= call.arguments.size()) return {};
  const std::string& text = call.arguments[index].value;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

const LoggedArgument* logged_argument(const LoggedCall& call, int index) {
  return index >= 0 && static_cast<std::size_t>(index) < call.arguments.size()
             ? &call.arguments[static_cast<std::size_t>(index)]
             : nullptr;
}

bool makes_descriptor(const LoggedCall& call) {
  const std::string_view name = call.name;
  if (name == "fcntl")
    return call.arguments.size() > 1 && call.arguments[1].value.starts_with("F_DUPFD");
  return name.starts_with("open") || name.starts_with("accept") || name.starts_with("dup") ||
         name.starts_with("epoll_create") || name.starts_with("eventfd") || name == "creat" ||
         name == "socket" || name == "memfd_create";
}

// As a stat shows it. A link says nothing of what it leads to.
ObservedType stated_type(const LoggedCall& call) {
  for (const LoggedArgument& argument : call.arguments) {
    const std::size_t at = argument.value.find("_mode=S_IF");
    if (argument.kind != LoggedArgument::Kind::other || at == std::string::npos) continue;
    const std::string_view type = std::string_view(argument.value).substr(at + 10);
    if (type.starts_with("REG")) return ObservedType::regular;
    if (type.starts_with("DIR")) return ObservedType::directory;
    return type.starts_with("LNK") ? ObservedType::unknown : ObservedType::other;
  }
  return ObservedType::unknown;
}

std::string times_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return count == 1 ? cat("1 ", one) : cat(count, " ", many);
}

}  // namespace

CallTracker::CallTracker(std::string source, LogContext context, const Limits& limits)
    : limits_(limits), context_(std::move(context)) {
  run_.source = std::move(source);
}

// --- Processes
// ------------------------------------------------------------------------------------

void CallTracker::add_process(std::uint64_t task, std::shared_ptr<Process> process) {
  process->threads = 1;
  if (ProcessPeaks* seen = recorder_.program(process->program)) {
    ++seen->processes;
    seen->threads = std::max<std::uint64_t>(seen->threads, 1);
  }
  run_.peak_processes = std::max(run_.peak_processes, ++processes_);
  tasks_[task] = std::move(process);
}

void CallTracker::add_thread(std::uint64_t task, std::shared_ptr<Process> process) {
  ++process->threads;
  if (ProcessPeaks* seen = recorder_.program(process->program))
    seen->threads = std::max(seen->threads, process->threads);
  tasks_[task] = std::move(process);
}

std::shared_ptr<CallTracker::Process> CallTracker::child_of(const Process& parent) {
  auto child = std::make_shared<Process>();
  adopt(*child, parent);
  return child;
}

void CallTracker::adopt(Process& child, const Process& parent) {
  child.program = parent.program;
  child.directory = parent.directory;
  child.real_directory = parent.real_directory;
  child.root = parent.root;
  child.files = parent.files;
  child.heap_start = parent.heap_start;
}

void CallTracker::drop(std::uint64_t task) {
  clones_.erase(task);
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return;
  Process& process = *found->second;
  if (process.threads > 0 && --process.threads == 0 && processes_ > 0) --processes_;
  tasks_.erase(found);
}

Result<CallTracker::Process*> CallTracker::process(std::uint64_t task) {
  if (const auto found = tasks_.find(task); found != tasks_.end()) return found->second.get();
  if (tasks_.size() >= limits_.log_tasks)
    return Error::limit(cat("more than ", limits_.log_tasks, " processes and threads at one time"));
  if (!any_) {
    any_ = true;
    first_task_ = task;
    auto first = std::make_shared<Process>();
    first->directory = context_.start_directory;
    add_process(task, std::move(first));
    return tasks_[task].get();
  }
  if (clones_.size() == 1 && clones_.begin()->second.child == 0) {
    if (const auto found = tasks_.find(clones_.begin()->first); found != tasks_.end()) {
      const std::shared_ptr<Process> parent = found->second;
      Clone& clone = clones_.begin()->second;
      clone.child = task;
      if (clone.thread)
        add_thread(task, parent);
      else
        add_process(task, child_of(*parent));
      return tasks_[task].get();
    }
  }
  auto orphan = std::make_shared<Process>();
  orphan->provisional = true;
  add_process(task, std::move(orphan));
  return tasks_[task].get();
}

void CallTracker::begin_clone(std::uint64_t task, bool thread) {
  if (clones_.size() < limits_.log_tasks) clones_[task] = {thread, 0};
}

Status CallTracker::cloned(std::uint64_t task, const LoggedCall& call) {
  const bool thread = std::ranges::any_of(call.arguments, [](const LoggedArgument& argument) {
    return argument.value.find("CLONE_THREAD") != std::string::npos;
  });
  const auto begun = clones_.find(task);
  const std::uint64_t early = begun != clones_.end() ? begun->second.child : 0;
  if (begun != clones_.end()) clones_.erase(begun);
  if (call.outcome != Outcome::done || call.result <= 0) return {};
  ++(thread ? run_.threads : run_.forks);
  const auto child = static_cast<std::uint64_t>(call.result);
  if (child == early || child == task) return {};
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return {};
  const std::shared_ptr<Process> parent = found->second;
  if (const auto known = tasks_.find(child); known != tasks_.end()) {
    if (known->second == parent) return {};
    Process& shown = *known->second;
    if (thread || !shown.provisional) {
      drop(child);  // among them numbers of processes whose end the log does not show
    } else {
      shown.provisional = false;
      const std::string program = shown.program, directory = shown.directory;
      adopt(shown, *parent);
      if (!program.empty()) shown.program = program;
      if (!directory.empty()) shown.directory = directory;
      return {};
    }
  }
  if (tasks_.size() >= limits_.log_tasks)
    return Error::limit(cat("more than ", limits_.log_tasks, " processes and threads at one time"));
  if (thread)
    add_thread(child, parent);
  else
    add_process(child, child_of(*parent));
  return {};
}

void CallTracker::join(std::uint64_t task, std::uint64_t other) {
  const auto found = tasks_.find(other);
  if (task == other || found == tasks_.end() || tasks_.contains(task) ||
      tasks_.size() >= limits_.log_tasks)
    return;
  const std::shared_ptr<Process> process = found->second;
  add_thread(task, process);
}

void CallTracker::rename(std::uint64_t task, std::uint64_t to) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end() || tasks_.contains(to)) return;
  tasks_[to] = found->second;
  tasks_.erase(task);
  if (const auto begun = clones_.find(task); begun != clones_.end()) {
    clones_[to] = begun->second;
    clones_.erase(task);
  }
  if (first_task_ == task) first_task_ = to;
}

void CallTracker::exited(std::uint64_t task, std::optional<int> status, std::optional<int> signal) {
  if (any_ && task == first_task_ && (status || signal)) {
    run_.exit_status = status;
    run_.exit_signal = signal;
  }
  drop(task);
}

void CallTracker::set_exit_status(int status) {
  if (!run_.exit_signal) run_.exit_status = status;
}

void CallTracker::set_command(std::vector<std::string> argv) {
  run_.command = std::move(argv);
}

void CallTracker::set_program(std::uint64_t task, const std::string& path) {
  auto found = process(task);
  if (!found.has_value() || path.size() > limits_.path_bytes) return;
  (*found)->program = path;
  if (ProcessPeaks* seen = recorder_.program(path)) {
    ++seen->processes;
    seen->threads = std::max(seen->threads, (*found)->threads);
  }
}

// --- Calls
// ----------------------------------------------------------------------------------------

Status CallTracker::call(const LoggedCall& call) {
  CL_TRY(Process* const process, this->process(call.task));
  recorder_.count_call({call.name, call.object});
  if (const LoggedPathCall* const row = logged_path_call(call.name)) {
    CL_CHECK(path_use(*process, call, *row, row->first));
    if (row->second.path >= 0) CL_CHECK(path_use(*process, call, *row, row->second));
  }
  return other_call(call.task, *process, call);
}

Status CallTracker::other_call(std::uint64_t task, Process& process, const LoggedCall& call) {
  const std::string_view name = call.name;
  if (name == "fork" || name == "vfork" || name == "clone" || name == "clone3")
    return cloned(task, call);
  if (name == "exit_group" && task == first_task_)
    if (const auto status = descriptor_number(call, 0)) run_.exit_status = *status & 0xff;
  if (call.socket && (call.outcome == Outcome::done || call.in_progress))
    recorder_.count_socket(*call.socket);
  if (name == "close") {
    sees_close_ = true;
    const auto number = descriptor_number(call, 0);
    if (number && process.files != nullptr && process.files->contains(*number))
      writable(process).erase(*number);
  }
  if (call.outcome != Outcome::done) return {};
  if (makes_descriptor(call)) {
    descriptor(process, call.result);
    // A copy stands for what the original did, and anything else for nothing that has a path.
    if (!name.starts_with("open") && name != "creat" && process.files != nullptr) {
      const bool copies = name.starts_with("dup") || name == "fcntl";
      const auto from = copies ? descriptor_number(call, 0) : std::nullopt;
      const auto known = from ? process.files->find(*from) : process.files->end();
      if (known != process.files->end()) {
        const OpenFile copy = known->second;
        writable(process)[call.result] = copy;
      } else if (process.files->contains(call.result)) {
        writable(process).erase(call.result);
      }
    }
  }
  if (name == "fstat" || name == "newfstatat" || name == "statx") {
    stated(process, call);
  } else if (name == "close_range") {
    process.files.reset();
  } else if (name == "fchdir") {
    const auto directory = directory_of(process, logged_argument(call, 0));
    process.directory = directory.value_or("");
    process.real_directory.clear();
  } else if (name == "getcwd") {
    const LoggedArgument* const shown = logged_argument(call, 0);
    if (process.directory.empty() && shown != nullptr &&
        shown->kind == LoggedArgument::Kind::text && shown->value.starts_with('/'))
      process.directory = measure::normalize_path(shown->value);
  } else if (name.starts_with("getdents")) {
    if (const auto number = descriptor_number(call, 0)) listed(process, *number);
  } else if (name == "brk" && call.result > 0 && call.result < kAddressSpace) {
    const auto at = static_cast<std::uint64_t>(call.result);
    if (process.heap_start == 0) process.heap_start = at;
    if (ProcessPeaks* seen = recorder_.program(process.program);
        seen != nullptr && at > process.heap_start)
      seen->heap_bytes = std::max(seen->heap_bytes, at - process.heap_start);
  }
  return {};
}

void CallTracker::descriptor(Process& process, std::int64_t number) {
  if (number < 0 || static_cast<std::uint64_t>(number) > kMaxDescriptor) return;
  if (ProcessPeaks* seen = recorder_.program(process.program))
    seen->descriptors = std::max(seen->descriptors, static_cast<std::uint64_t>(number) + 1);
}

// --- Paths
// ----------------------------------------------------------------------------------------

CallTracker::OpenFiles& CallTracker::writable(Process& process) {
  if (process.files == nullptr)
    process.files = std::make_shared<OpenFiles>();
  else if (process.files.use_count() > 1)
    process.files = std::make_shared<OpenFiles>(*process.files);
  return *process.files;
}

std::string CallTracker::below_root(const Process& process, std::string_view real) {
  if (process.root.empty()) return std::string(real);
  if (!is_within(real, process.root)) return {};
  real.remove_prefix(process.root.size());
  return real.empty() ? "/" : std::string(real);
}

std::optional<std::string> CallTracker::directory_of(Process& process,
                                                     const LoggedArgument* argument) {
  std::string shown;
  if (argument != nullptr && argument->decoration.starts_with('/'))
    shown = below_root(process, argument->decoration);
  if (argument == nullptr || argument->value == "AT_FDCWD" || argument->value == "-100") {
    if (!shown.empty()) {
      if (process.directory.empty() ||
          (!process.real_directory.empty() && process.real_directory != shown))
        process.directory = shown;
      process.real_directory = shown;
    }
    if (process.directory.empty()) return {};
    return process.directory;
  }
  std::int64_t number = -1;
  const std::string& text = argument->value;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (process.files != nullptr)
    if (const auto found = process.files->find(number); found != process.files->end()) {
      if (shown.empty() ? sees_close_ : found->second.real == shown) return found->second.path;
    }
  if (shown.empty()) return {};
  return shown;
}

std::optional<CallTracker::Place> CallTracker::place(Process& process, const LoggedCall& call,
                                                     const LoggedPath& operand) {
  const LoggedArgument* const path = logged_argument(call, operand.path);
  const LoggedArgument* const directory = logged_argument(call, operand.directory);
  // Asked in any case: it may show in which directory the process is.
  const auto from = directory_of(process, directory);
  if (path == nullptr) return {};
  if (path->kind != LoggedArgument::Kind::text) {
    if (path->value != "NULL") ++hidden_;
    return {};
  }
  if (path->value.empty()) return {};  // AT_EMPTY_PATH: the descriptor itself
  Place out;
  if (path->value.starts_with('/')) {
    out.path = measure::normalize_path(path->value);
  } else if (from) {
    out.path = measure::normalize_path(cat(*from, "/", path->value));
  } else {
    ++relative_;
    return {};
  }
  if (std::max(out.path.size(), path->value.size()) > limits_.path_bytes ||
      out.path.find('\0') != std::string::npos) {
    ++unusable_;
    return {};
  }
  if (out.path != path->value) out.spelled = path->value;
  return out;
}

FileUse CallTracker::use_of(const LoggedCall& call, const LoggedPathCall& row,
                            const LoggedPath& operand, const std::string& path,
                            bool& directory) const {
  switch (operand.effect) {
    case LoggedEffect::create:
      return FileUse::create;
    case LoggedEffect::remove:
      return FileUse::remove;
    case LoggedEffect::write:
      return FileUse::write;
    case LoggedEffect::execute:
      return FileUse::execute;
    case LoggedEffect::open:
      break;
    case LoggedEffect::look:
    case LoggedEffect::enter:
    case LoggedEffect::root:
      return FileUse::look;
  }
  OpenFlags flags;
  if (row.flags < 0) {
    flags.write = flags.create = flags.truncate = true;  // creat
  } else if (const LoggedArgument* const argument = logged_argument(call, row.flags)) {
    flags = parse_open_flags(argument->value);
  }
  directory = flags.directory;
  if (flags.path_only) return FileUse::look;
  if (flags.temporary) return FileUse::create;
  if (flags.create) {
    if (flags.exclusive) return FileUse::create;
    // Made here, unless it is known to have been there before.
    const auto known = run_.paths.find(path);
    const bool there = known != run_.paths.end() &&
                       std::ranges::any_of(known->second.uses,
                                           [](const UseCount& count) { return count.done > 0; });
    if (!there) return FileUse::create;
    return flags.write || flags.truncate ? FileUse::write : FileUse::read;
  }
  if (flags.write || flags.truncate) return FileUse::write;
  return flags.directory ? FileUse::list : FileUse::read;
}

Status CallTracker::path_use(Process& process, const LoggedCall& call, const LoggedPathCall& row,
                             const LoggedPath& operand) {
  const auto where = place(process, call, operand);
  const bool done = call.outcome == Outcome::done;
  if (!where) {
    if (!done) return {};
    // It went where nobody knows.
    if (operand.effect == LoggedEffect::enter) process.directory.clear();
    if (operand.effect == LoggedEffect::execute) {
      process.program.clear();
      ++run_.executions;
    }
    return {};
  }
  bool directory = false;
  const FileUse use = use_of(call, row, operand, where->path, directory);
  std::string real;
  if (call.result_decoration.starts_with('/')) real = below_root(process, call.result_decoration);
  const bool opened = operand.effect == LoggedEffect::open && done;
  if (opened) {
    const OpenFile file{where->path, real, directory};
    if (process.files == nullptr || process.files->contains(call.result) ||
        process.files->size() < limits_.log_descriptors)
      writable(process)[call.result] = file;
  }
  if (operand.effect == LoggedEffect::enter || use == FileUse::list) directory = true;
  ObservedType type = ObservedType::unknown;
  if (done && directory && use != FileUse::create)
    type = ObservedType::directory;
  else if (done && operand.effect == LoggedEffect::look)
    type = stated_type(call);
  CL_CHECK(record(process.program, *where, use, call.outcome, std::move(real), type));
  if (!done) return {};
  if (operand.effect == LoggedEffect::enter) {
    process.directory = where->path;
    process.real_directory.clear();
  }
  if (operand.effect == LoggedEffect::root) changed_root(process, where->path);
  if (operand.effect == LoggedEffect::execute) return executed(process, where->path);
  return {};
}

// What a launcher does before it enters the program's root is none of the program's doing.
void CallTracker::changed_root(Process& process, const std::string& path) {
  if (path == "/") return;
  process.root += path;
  process.directory.clear();
  process.real_directory.clear();
  if (tasks_.size() != 1) return;
  recorder_.forget();
  run_.command.clear();
  relative_ = hidden_ = unusable_ = 0;
  process.program.clear();
  note(cat("the program was started below ", quote(path),
           ": paths are those below it, and what was done before is left out"));
}

Status CallTracker::executed(Process& process, const std::string& path) {
  ++run_.executions;
  process.program = path;
  process.heap_start = 0;
  process.files.reset();  // which of them were closed by it is not shown
  if (ProcessPeaks* seen = recorder_.program(path)) {
    ++seen->processes;
    seen->threads = std::max<std::uint64_t>(seen->threads, 1);
  }
  return {};
}

// What is said of an open file: "fstat(3, {st_mode=…})", "newfstatat(3, "", …)".
void CallTracker::stated(Process& process, const LoggedCall& call) {
  const auto number = descriptor_number(call, 0);
  const bool of_descriptor =
      call.name == "fstat" || (call.arguments.size() > 1 && call.arguments[1].value.empty());
  if (!number || !of_descriptor || process.files == nullptr || !sees_close_) return;
  const auto found = process.files->find(*number);
  if (found == process.files->end()) return;
  const auto used = run_.paths.find(found->second.path);
  const ObservedType type = stated_type(call);
  if (used != run_.paths.end() && type != ObservedType::unknown) used->second.type = type;
}

// What was opened turns out to be a directory.
void CallTracker::listed(Process& process, std::int64_t descriptor) {
  if (process.files == nullptr || !sees_close_) return;
  const auto found = process.files->find(descriptor);
  if (found == process.files->end() || found->second.listed) return;
  const auto used = run_.paths.find(found->second.path);
  writable(process)[descriptor].listed = true;
  if (used == run_.paths.end()) return;
  UseCount& read = used->second.of(FileUse::read);
  if (read.done > 0) {
    --read.done;
    ++used->second.of(FileUse::list).done;
  }
  used->second.type = ObservedType::directory;
}

Status CallTracker::use(std::optional<std::uint64_t> task, const std::string& path, FileUse use,
                        Outcome outcome, std::uint64_t times) {
  std::string program;
  if (task) {
    CL_TRY(const Process* const process, this->process(*task));
    program = process->program;
  }
  if (path.size() > limits_.path_bytes || path.find('\0') != std::string::npos) {
    ++unusable_;
    return {};
  }
  Place where;
  where.path = measure::normalize_path(path);
  if (where.path != path) where.spelled = path;
  return record(program, where, use, outcome, {}, ObservedType::unknown, times);
}

Status CallTracker::record(const std::string& program, const Place& place, FileUse use,
                           Outcome outcome, std::string real, ObservedType type,
                           std::uint64_t times) {
  if (outcome == Outcome::unknown || times == 0) return {};
  if (real.size() > limits_.path_bytes || real.find('\0') != std::string::npos ||
      (!real.empty() && measure::normalize_path(real) != real))
    real.clear();
  PathUse* const known = recorder_.path(place.path, place.spelled, real.size());
  if (known == nullptr)
    return Error::limit("more different paths than a run may hold")
        .detail(cat("got ", run_.paths.size(), ", limit ", limits_.observed_paths, " with ",
                    human_bytes(limits_.observed_path_bytes), " of names"));
  PathUse& out = *known;
  UseCount& count = out.of(use);
  if (outcome == Outcome::done) {
    count.done += times;
    if (out.real.empty()) out.real = std::move(real);
  } else if (outcome == Outcome::refused) {
    count.refused += times;
  } else {
    count.absent += times;
  }
  if (type != ObservedType::unknown) out.type = type;
  recorder_.add_program(out, program);
  return {};
}

// --- The end
// --------------------------------------------------------------------------------------

ObservedRun CallTracker::finish() {
  for (const auto& [key, count] : run_.calls)
    if (run_.source == "strace" && key.name != "restart_syscall" &&
        implemented_by_gramine(key.name) == Implemented::no)
      run_.unimplemented[key.name] += count;
  const auto counted = [&](std::string_view name) {
    return std::ranges::any_of(run_.calls,
                               [&](const auto& item) { return item.first.name == name; });
  };
  // Calls of which every program makes some, and that no usual filter lets through together.
  run_.profiled = counted("mmap") && counted("close") && counted("mprotect") && counted("read");
  if (relative_ > 0)
    note(
        cat(times_text(relative_, "relative path is", "relative paths are"),
            " left out: the log does not say in which directory the program was (strace -y does)"));
  if (hidden_ > 0)
    note(cat(times_text(hidden_, "path is", "paths are"),
             " left out: the log does not show them whole (strace -s 4096 does)"));
  if (unusable_ > 0)
    note(cat(times_text(unusable_, "path is", "paths are"),
             " left out: no file can have such a name"));
  if (run_.executions > 0 && run_.source == "strace") note(std::string(kKernelOpensInterpreters));
  run_.notes = std::move(notes_);
  return std::move(run_);
}

}  // namespace cloister::manifest
