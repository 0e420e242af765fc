// Answers for Gramine: decides each watched system call of the programs in a sandbox, by the path
// as they spell it, and notes what they did.
//
// Watching is seccomp's user notification, one listener for the whole tree: a call that is watched
// waits while this process looks at it and says "go on" or an errno; all others run at full speed.
// ptrace's stop at such a call costs as much (tests/bench/watching.c), but stands between a program
// and its signals, and must be asked for thread by thread.
// What is decided is not what keeps the program in: another thread of it can change a path after it
// was looked at. The sandbox keeps it in.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/sandbox/sandbox.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct SupervisorOptions {
  bool learning = false;  // refuse nothing of the files that exist
  bool profile = false;   // every call is counted
  std::uint32_t uid = 0, gid = 0;
  // More processes are refused with EAGAIN; beyond memory_bytes of all together, looked at now and
  // then, they are killed.
  SandboxLimits limits;
};

// For SandboxPlan::watched, by number.
std::vector<int> watched_calls();

class Supervisor {
 public:
  // All must outlive it. `rootfs` is what the sandbox's root was filled from.
  Supervisor(Sandbox& sandbox, const FileRules& rules, const measure::Rootfs& rootfs,
             const SupervisorOptions& options, const Limits& limits);
  ~Supervisor();

  // Serves until the program has ended, `until` says so (it is asked some ten times a second), or
  // `cancel` does. `on_output` gets what the program writes, as it comes.
  Status serve(const std::function<bool()>& until,
               const std::function<void(std::string_view)>& on_output, CancelToken cancel);

  // What was seen so far.
  ObservedRun& run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::manifest
