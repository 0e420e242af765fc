// What a program was seen to do, whoever watched it: a rehearsal, strace, or Gramine's own log.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::manifest {

// What was done with a path. Gramine asks for a grant when a regular file is opened or executed, or
// something is made, changed or removed; looking and listing are free.
enum class FileUse : std::uint8_t {
  look,     // stat, access, readlink, chdir …
  list,     // a directory was opened
  read,     // a file was opened for reading alone
  execute,  // execve, and the interpreters that it names
  write,    // a file was opened for writing, truncated, or its mode or owner was changed
  create,   // a file, directory, link or node was made here, or renamed to here
  remove,   // unlinked, or renamed from here
};
inline constexpr std::size_t kFileUses = 7;
std::string_view file_use_name(FileUse use);  // "look" …
std::optional<FileUse> parse_file_use(std::string_view name);

struct UseCount {
  std::uint64_t done = 0;     // let through, and there was something there (or room to create it)
  std::uint64_t refused = 0;  // not granted: failed with EACCES
  std::uint64_t absent = 0;   // failed otherwise: mostly, nothing was there
  bool operator==(const UseCount&) const = default;
};

enum class ObservedType : std::uint8_t { unknown, regular, directory, other };

struct PathUse {
  std::array<UseCount, kFileUses> uses;  // by FileUse
  // The path with every symbolic link resolved inside the root; empty: absent, or not known.
  std::string real;
  // As the program wrote it, when that is no absolute, normal path: "../conf/x". The first such.
  std::string spelled;
  ObservedType type = ObservedType::unknown;
  std::set<std::string> programs;  // real paths of the programs that did it, where known

  UseCount& of(FileUse use) { return uses[static_cast<std::size_t>(use)]; }
  const UseCount& of(FileUse use) const { return uses[static_cast<std::size_t>(use)]; }
  bool operator==(const PathUse&) const = default;
};

struct SocketUse {
  std::string family;  // "inet", "inet6", "unix", "netlink", or a number
  std::string action;  // "socket", "bind", "connect"
  std::string
      address;  // "0.0.0.0:6379", "[::1]:80", "/run/x.sock", "@abstract"; empty for "socket"
  auto operator<=>(const SocketUse&) const = default;
};

// The most that any process of one program was seen to take at a time. Under Gramine each process
// is an enclave of its own, so these are per process, not summed. 0: not known.
struct ProcessPeaks {
  std::uint64_t processes = 0;       // of this program, over the whole run
  std::uint64_t resident_bytes = 0;  // VmHWM
  std::uint64_t virtual_bytes = 0;   // VmPeak: what an enclave must have room for
  std::uint64_t heap_bytes = 0;      // by brk
  std::uint64_t data_bytes = 0;   // VmData: private and writable, heap and threads' stacks among it
  std::uint64_t stack_bytes = 0;  // VmStk: of the main thread
  std::uint64_t threads = 0;
  std::uint64_t descriptors = 0;  // highest number of an open file, plus 1
  bool operator==(const ProcessPeaks&) const = default;
};

// What a system call worked on, where that decides about its cost.
struct CallKey {
  std::string name;    // "read"
  std::string object;  // "socket", "pipe", "trusted", "allowed", "tmpfs", "encrypted", "terminal",
                       // "eventfd", "epoll", "device", "pseudo"; empty: nothing, or not known
  auto operator<=>(const CallKey&) const = default;
};

struct ObservedRun {
  // "rehearsal", "strace" or "gramine".
  std::string source;
  std::vector<std::string> command;      // argv, where known
  std::map<std::string, PathUse> paths;  // by absolute path, lexically normal, as Gramine compares
  std::map<SocketUse, std::uint64_t> sockets;
  std::map<std::string, ProcessPeaks> programs;  // by real path of the program
  std::uint64_t forks = 0, threads = 0, executions = 0;
  std::uint64_t peak_processes = 0;  // at one time
  // Counted calls. When `profiled`, of every system call; else of those that were watched.
  std::map<CallKey, std::uint64_t> calls;
  // System calls that Gramine does not implement: answered with ENOSYS in a rehearsal.
  std::map<std::string, std::uint64_t> unimplemented;
  bool profiled = false;
  bool learning = false;       // nothing was refused
  double seconds = 0;          // of wall time; 0: not known
  std::uint64_t requests = 0;  // pieces of work that were done meanwhile; 0: not known
  // How it ended: one of the two, or neither when it was stopped after its work (or is not known).
  std::optional<int> exit_status, exit_signal;
  // Paths of the image that stood in for files of the Gramine runtime (the C library's): let
  // through, although no manifest grants them.
  std::set<std::string> stand_ins;
  std::string isolation;           // what kept it in, for people; rehearsals only
  std::vector<std::string> notes;  // what was not seen, and other doubts, for people
  bool operator==(const ObservedRun&) const = default;
};

// Says it, unless it is said already.
void add_note(ObservedRun& run, std::string_view note);
// The greater of each; the numbers of processes are added.
void merge_peaks(ProcessPeaks& into, const ProcessPeaks& other);
// What several runs did together: counts are added, peaks are the greater ones; how it ended is the
// worst of them.
void merge_run(ObservedRun& into, const ObservedRun& other);

}  // namespace cloister::manifest
