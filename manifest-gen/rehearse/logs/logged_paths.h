// Which arguments of a system call are paths, and what the call does with what they name
// (syscalls(2), and the manual page of each).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cloister::manifest {

enum class LoggedEffect : std::uint8_t {
  look,
  open,  // by its flags
  create,
  remove,
  write,
  execute,
  enter,  // chdir
  root,   // chroot
};

struct LoggedPath {
  LoggedEffect effect = LoggedEffect::look;
  std::int8_t path = 0;        // number of the argument, from 0
  std::int8_t directory = -1;  // of the argument with the directory it starts from; -1: none
};

struct LoggedPathCall {
  std::string_view name;
  LoggedPath first;
  LoggedPath second{LoggedEffect::look, -1};  // path -1: there is none
  std::int8_t flags = -1;                     // of an open
};

// Null when it is no call with a path. Found by the name that strace gives it.
const LoggedPathCall* logged_path_call(std::string_view name);
std::span<const LoggedPathCall> logged_path_calls();  // by name

// Whether more than the name and result of a call is of use.
bool call_matters(std::string_view name);

// What open's flags come to, however they are written: "O_RDONLY|O_CLOEXEC", "O_RDONLY|0x80000",
// or openat2's "{flags=O_RDONLY, resolve=…}". The numbers are x86-64's.
struct OpenFlags {
  bool write = false, create = false, exclusive = false, truncate = false, directory = false,
       path_only = false, temporary = false;
};
OpenFlags parse_open_flags(std::string_view text);

}  // namespace cloister::manifest
