// Gramine's own log: what `sgx.file_check_policy = "allow_all_but_log"` lets through, what is
// refused, the trace of every system call (`loader.log_level = "trace"`), and what Gramine does not
// implement. The texts of Gramine 1.0 to 1.9, and Graphene's before them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/logs/call_tracker.h"

namespace cloister::manifest {

class GramineReader {
 public:
  GramineReader(LogContext context, const Limits& limits)
      : limits_(limits), tracker_("gramine", std::move(context), limits) {}

  // Without its end. A line of the program's own is passed over.
  Status line(std::string_view line);
  std::uint64_t messages() const { return messages_; }  // lines that were of use
  Result<ObservedRun> finish();

  // Whether a line looks like Gramine's, for telling logs apart.
  static bool recognises(std::string_view line);

 private:
  struct Task {
    std::string partial;             // of a message that is longer than the log's buffer
    std::optional<LoggedCall> call;  // begun: "---- open(…) ..."
    std::size_t held = 0;            // bytes of it
  };
  struct Mounted {
    std::string uri, path;  // "/usr", "/mnt/usr"
  };
  struct Policy {
    FileUse use = FileUse::read;
    std::uint64_t allowed = 0, refused = 0;
  };
  // "[P1:T2:redis] trace: …"
  struct Message {
    std::uint64_t process = 0, task = 0;  // 0: before there is one
    std::string_view level, text;
  };
  static std::optional<Message> message_of(std::string_view line);

  Status trace(const Message& message);
  Status traced(std::uint64_t task, std::string_view text);
  Status returned(Task& task, std::string_view text);
  Status count(const LoggedCall& call);
  bool hold(std::size_t bytes);
  void drop_call(Task& task);
  void drop_task(std::uint64_t task);
  void policy(std::string_view text);
  Status debug(const Message& message);
  void ended(std::uint64_t process);
  std::optional<std::string> enclave_path(std::string_view host) const;
  void belongs(const Message& message);

  const Limits& limits_;
  CallTracker tracker_;
  std::map<std::uint64_t, Task> tasks_;
  std::map<std::uint64_t, std::set<std::uint64_t>> processes_;  // the tasks of each
  std::vector<Mounted> mounts_;
  std::map<std::string, Policy> policy_;  // by path on the host
  std::uint64_t messages_ = 0, calls_ = 0, nameless_ = 0, ambiguous_ = 0, incomplete_ = 0;
  std::uint64_t policy_bytes_ = 0;
  std::size_t held_ = 0;  // bytes that wait for more, of all tasks
  bool allowed_any_ = false, refused_any_ = false;
};

}  // namespace cloister::manifest
