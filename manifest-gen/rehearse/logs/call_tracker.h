// Follows the processes of a log by their system calls: in which directory each is, what its
// descriptors are, what program it runs; and writes down what they do.
//
// A relative path is taken from the directory as the program spelled it on its way there, since
// that is what Gramine compares. Where the log does not say in which directory a process is, its
// relative paths are counted in the notes and never guessed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/rehearse/logs/logged_call.h"
#include "manifest-gen/rehearse/logs/logged_paths.h"
#include "manifest-gen/rehearse/run_recorder.h"

namespace cloister::manifest {

// What a log may leave unsaid.
struct LogContext {
  // Where the logged program was started: absolute; empty: not known.
  std::string start_directory;
};

// A note that an image makes void: image_facts.h.
inline constexpr std::string_view kKernelOpensInterpreters =
    "the loader or interpreter that each program names is opened by the kernel: strace does not "
    "show it";

class CallTracker {
 public:
  CallTracker(std::string source, LogContext context, const Limits& limits);
  CallTracker(const CallTracker&) = delete;
  CallTracker& operator=(const CallTracker&) = delete;

  // A call that makes a process or thread was begun: what it makes may show before it returns.
  void begin_clone(std::uint64_t task, bool thread);
  // `limit` when more is distinct than a run may hold.
  Status call(const LoggedCall& call);
  // A path that is named without a call; `task` is nothing when the log does not say whose it is.
  Status use(std::optional<std::uint64_t> task, const std::string& path, FileUse use,
             LoggedCall::Outcome outcome, std::uint64_t times = 1);
  // `task` belongs to the process that `other` belongs to.
  void join(std::uint64_t task, std::uint64_t other);
  void rename(std::uint64_t task, std::uint64_t to);
  void set_program(std::uint64_t task, const std::string& path);

  void exited(std::uint64_t task, std::optional<int> status, std::optional<int> signal);
  void unimplemented(const std::string& name) { recorder_.count_unimplemented(name); }
  void set_seconds(double seconds) { run_.seconds = seconds; }
  void set_learning(bool learning) { run_.learning = learning; }
  void set_command(std::vector<std::string> argv);
  void set_exit_status(int status);
  void note(std::string text) { notes_.push_back(std::move(text)); }

  // Of those that run: threads and processes.
  std::size_t tasks() const { return tasks_.size(); }
  bool knows(std::uint64_t task) const { return tasks_.contains(task); }
  std::uint64_t any_task() const { return tasks_.begin()->first; }  // REQUIRES: tasks() > 0
  bool has_command() const { return !run_.command.empty(); }
  bool has_program(std::uint64_t task) const {
    const auto found = tasks_.find(task);
    return found != tasks_.end() && !found->second->program.empty();
  }
  bool has_path(const std::string& path) const { return run_.paths.contains(path); }

  ObservedRun finish();

 private:
  struct OpenFile {
    std::string path, real;
    bool listed = false;
  };
  using OpenFiles = std::map<std::int64_t, OpenFile>;
  struct Process {
    std::string program;
    std::string directory;             // as it was spelled; empty: not known
    std::string real_directory;        // as the log shows it; empty: not since the last chdir
    std::string root;                  // by chroot; empty: that of the log
    std::shared_ptr<OpenFiles> files;  // shared with a parent until one of them opens a file
    std::uint64_t threads = 0;
    std::uint64_t heap_start = 0;
    bool provisional = false;  // it showed before anything told whose child it is
  };
  struct Clone {
    bool thread = false;
    std::uint64_t child = 0;  // it showed already
  };
  // Where a path leads, as the program spells it and as the log shows it.
  struct Place {
    std::string path, spelled;
  };

  Result<Process*> process(std::uint64_t task);
  void add_process(std::uint64_t task, std::shared_ptr<Process> process);
  void add_thread(std::uint64_t task, std::shared_ptr<Process> process);
  std::shared_ptr<Process> child_of(const Process& parent);
  void adopt(Process& child, const Process& parent);
  void drop(std::uint64_t task);

  Status path_use(Process& process, const LoggedCall& call, const LoggedPathCall& row,
                  const LoggedPath& operand);
  Status other_call(std::uint64_t task, Process& process, const LoggedCall& call);
  Status cloned(std::uint64_t task, const LoggedCall& call);
  void entered(Process& process, const LoggedCall& call, const std::string& path);
  void changed_root(Process& process, const std::string& path);
  Status executed(Process& process, const std::string& path);
  void stated(Process& process, const LoggedCall& call);
  void listed(Process& process, std::int64_t descriptor);
  void descriptor(Process& process, std::int64_t number);
  std::optional<Place> place(Process& process, const LoggedCall& call, const LoggedPath& operand);
  std::optional<std::string> directory_of(Process& process, const LoggedArgument* argument);
  FileUse use_of(const LoggedCall& call, const LoggedPathCall& row, const LoggedPath& operand,
                 const std::string& path, bool& directory) const;
  Status record(const std::string& program, const Place& place, FileUse use,
                LoggedCall::Outcome outcome, std::string real, ObservedType type,
                std::uint64_t times = 1);
  static std::string below_root(const Process& process, std::string_view real);
  static OpenFiles& writable(Process& process);

  const Limits& limits_;
  LogContext context_;
  ObservedRun run_;
  RunRecorder recorder_{run_, limits_};
  std::unordered_map<std::uint64_t, std::shared_ptr<Process>> tasks_;
  std::map<std::uint64_t, Clone> clones_;  // begun, by the task that waits for them
  std::uint64_t first_task_ = 0;
  bool any_ = false;
  bool sees_close_ = false;  // else a descriptor may stand for something else since it was opened
  std::uint64_t processes_ = 0;
  std::uint64_t relative_ = 0, hidden_ = 0, unusable_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace cloister::manifest
