// A place for a program of an image to run in: namespaces and a root of its own, in memory, that
// vanish with it, without privileges on this machine. Nothing of Gramine is in it; what the program
// may do is decided by who holds the listener (supervisor.h).
//
// Three processes make it. The keeper enters the new namespaces, mounts the root, and stays outside
// of the process namespace, to connect to the program's ports and to be killed when this process
// ends, however it ends. Its child is process 1 inside: when that ends, the kernel ends all others.
// The program is process 2, so that signals do to it what they do to any program, as in Gramine.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cloister::manifest {

struct SandboxLimits {
  std::uint64_t memory_bytes = 4ULL << 30;  // of the root, its files included; of each process
  std::uint64_t files = 1U << 20;           // names in the root, beyond those of the image
  std::uint32_t processes = 1024;           // and threads, all together
  std::uint32_t descriptors = 65536;        // of one process
};

struct SandboxPlan {
  std::string program;            // path in the root
  std::vector<std::string> argv;  // argv[0] as the program will see it
  std::vector<std::pair<std::string, std::string>> env;
  std::string workdir = "/";
  std::uint32_t uid = 0, gid = 0;
  bool own_network = true;  // else this machine's
  bool own_users = true;    // a user namespace; else what root can do without one
  // Absolute, without links and "..": empty directories in memory. Parents first.
  std::vector<std::string> memory_mounts;
  // Directories of the root that are seen at other places of it too: from, to.
  std::vector<std::pair<std::string, std::string>> bind_mounts;
  // The calls, by number, that the listener is told of. All but what returns from signals when
  // `every_call`.
  std::vector<int> watched;
  bool every_call = false;
  SandboxLimits limits;
};

// How it ended: what waitpid(2) says.
struct Ending {
  bool by_signal = false;
  int code = 0;  // exit status or signal
};

class Sandbox {
 public:
  // With an empty root, for the caller to fill through root(). `unavailable` when the kernel allows
  // no namespaces, with what it said; `io` for the rest.
  static Result<std::unique_ptr<Sandbox>> create(SandboxPlan plan);
  // Kills everything and waits for it.
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // The root directory, seen from here. What is made by this thread while AsOwner lives belongs to
  // the program's user.
  int root() const;
  // "user namespace" or "root without a user namespace", for people.
  std::string isolation() const;

  // Mounts what the plan says on the filled root and starts the program, which stops before its
  // first instruction: at the execve that the listener is told of.
  Status start();
  bool has_proc() const;  // REQUIRES: started. Containers may forbid a /proc of one's own
  int listener() const;   // seccomp_unotify(2)
  pid_t first() const;    // process 1 inside, as seen from here
  pid_t program() const;  // likewise
  int output() const;     // what it writes to stdout and stderr, for reading; not blocking

  // A connection to a TCP port of the program's own loopback.
  Result<Fd> connect(std::uint16_t port);
  // To the program alone, as an administrator would. Errors are no news.
  void signal(int number);
  // All that is inside.
  void kill();
  // Whether the program, and with it all that it started, has ended.
  bool ended();
  Ending ending() const;  // REQUIRES: ended()

 private:
  friend class AsOwner;
  struct Impl;
  explicit Sandbox(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Makes this thread create files as the owner of a sandbox, while it lives.
class AsOwner {
 public:
  explicit AsOwner(const Sandbox& sandbox);
  ~AsOwner();
  AsOwner(const AsOwner&) = delete;
  AsOwner& operator=(const AsOwner&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace cloister::manifest
