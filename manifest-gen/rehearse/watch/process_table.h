// The processes of a sandbox: which threads are theirs, what they run, who they say they are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

// User and group as Gramine keeps them: any process may become any user, and it means nothing.
struct ProcessIdentity {
  std::uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
};

struct WatchedProcess {
  pid_t id = 0;
  std::string program;  // real path
  ProcessIdentity identity;
  // Directories that it went to or opened by a path with links in it: real path → that path. The
  // kernel knows only the first, Gramine only the second. Of two such paths of one directory the
  // later counts.
  std::map<std::string, std::string, std::less<>> aliases;
  // What its descriptors are, while every call is watched.
  std::unordered_map<std::uint64_t, std::string_view> objects;

  // Once it has very many, no more.
  void add_alias(const std::string& real, const std::string& path);
  // The path by which the program knows a directory whose real path this is.
  std::string lexical(std::string_view real) const;
};

class ProcessTable {
 public:
  explicit ProcessTable(ProcessIdentity first) : first_(first) {}

  // Of a thread that is there; made from its parent's when it is new. Null when it has gone.
  WatchedProcess* of_thread(pid_t thread);
  // A thread ended; with its process.
  void forget_thread(pid_t thread) { threads_.erase(thread); }
  void forget_process(pid_t process);
  // Those that are still there.
  std::size_t count_living();

  const std::map<pid_t, WatchedProcess>& all() const { return processes_; }

 private:
  std::map<pid_t, WatchedProcess> processes_;
  std::unordered_map<pid_t, pid_t> threads_;  // thread → process
  ProcessIdentity first_;
};

}  // namespace cloister::manifest
