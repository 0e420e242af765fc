// What the processes of a sandbox do between fork and exec. This process has threads, so
// nothing here may allocate, lock or throw: system calls on what was prepared before, and nothing
// else.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace cloister::manifest {

// Memory that this process and those of a sandbox share.
struct SandboxShared {
  std::atomic<int> listener{-1};   // its number in the program's process
  std::atomic<int> exec_error{0};  // errno of a failed execve, or of what came before it
  std::atomic<const char*> exec_step{nullptr};
  std::atomic<int> wait_status{-1};  // of the program
  std::atomic<bool> proc_mounted{false};
};

// What the keeper tells, and is told, over its socket (SOCK_SEQPACKET).
enum class SandboxWord : std::int32_t {
  failed,     // value: errno; `what`
  map_ids,    // it is in its user namespace: write its maps
  fill_root,  // the root is its working directory
  started,    // value: process id of the first one inside
  program,    // from the program itself: its credentials say which process it is
  go,         // (to it) go on
  connect,    // (to it) value: a port
  connected,  // with a descriptor
  refused,    // value: errno
};
struct SandboxMessage {
  SandboxWord word = SandboxWord::failed;
  std::int32_t value = 0;
  char what[64] = {};
};

// Everything prepared: pointers into memory that lives until the program runs.
struct SandboxChildPlan {
  pid_t parent = 0;
  int socket = -1, output = -1, null = -1;  // descriptors
  SandboxShared* shared = nullptr;
  bool own_users = false, own_network = false;
  uid_t uid = 0;
  gid_t gid = 0;
  const char* mount_point = nullptr;   // a directory of this machine that the root is mounted on
  const char* root_options = nullptr;  // of the tmpfs
  const char* memory_options = nullptr;
  const char* const* memory_mounts = nullptr;  // relative to the root; ends with null
  const char* const* binds = nullptr;          // pairs, likewise
  const char* program = nullptr;
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;
  const char* workdir = nullptr;
  std::uint64_t memory_bytes = 0;
  std::uint32_t processes = 0, descriptors = 0;
  sock_fprog filter{};
};

[[noreturn]] void run_sandbox_keeper(const SandboxChildPlan& plan);

}  // namespace cloister::manifest
