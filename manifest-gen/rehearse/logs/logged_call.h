// A system call as a log tells of it: what strace and the trace of Gramine have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

struct LoggedArgument {
  enum class Kind : std::uint8_t {
    other,
    text,    // a string, shown whole
    hidden,  // a string that is shown in part or not at all
  };
  Kind kind = Kind::other;
  // Text: its bytes. Else what is written, without the decoration: "AT_FDCWD", "O_RDONLY|0x80000".
  std::string value;
  // What a descriptor stands for, where it is written beside it: "/etc" in "3</etc>".
  std::string decoration;
};

struct LoggedCall {
  enum class Outcome : std::uint8_t { done, refused, failed, unknown };  // refused: EACCES or EPERM
  // Thread or process, as the log numbers them.
  std::uint64_t task = 0;
  std::string name;
  std::vector<LoggedArgument> arguments;  // of calls in which call_matters(); else empty
  Outcome outcome = Outcome::unknown;
  std::int64_t result = 0;   // when done
  bool in_progress = false;  // failed, but goes on: EINPROGRESS, EINTR …
  std::string result_decoration;
  std::string object;               // CallKey::object, where known
  std::optional<SocketUse> socket;  // of socket, bind, connect
};

}  // namespace cloister::manifest
