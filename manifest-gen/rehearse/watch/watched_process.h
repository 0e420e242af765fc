// What /proc and a process's own memory say of a process that waits for our answer. What it says of
// itself is hostile; nothing here follows a path of it outside of its root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

// The text at an address of a thread's memory, up to its NUL; nothing when it is not readable or
// longer than PATH_MAX.
std::optional<std::string> read_text_of(pid_t thread, std::uint64_t address);
bool read_bytes_of(pid_t thread, std::uint64_t address, void* out, std::size_t size);

// Where a link of /proc/THREAD leads ("cwd", "fd/3"), by the process's own view; empty: not there.
std::string link_of(pid_t thread, const std::string& name);
// The process that a thread belongs to, and that one's parent; 0: it has gone.
struct Kin {
  pid_t process = 0, parent = 0;
};
Kin kin_of(pid_t thread);

// All processes below one, however far.
std::vector<pid_t> descendants_of(pid_t process);

// Memory of its own that it has now (RssAnon).
std::uint64_t anonymous_bytes_of(pid_t process);
std::uint64_t threads_of(pid_t process);
// What it takes now, and what the kernel remembers of its past.
ProcessPeaks peaks_of(pid_t process);

}  // namespace cloister::manifest
