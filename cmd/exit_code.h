// The exit codes of the command line contract: one table.
#pragma once

#include "base/result.h"

namespace cloister::cmd {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed =
    1;  // bad input, digest mismatch, unresolved library, bad key or overlay
inline constexpr int kExitUsage = 2;     // wrong command line
inline constexpr int kExitPolicy = 3;    // a policy, gate or check said no
inline constexpr int kExitNotFound = 4;  // not found or not authorised
inline constexpr int kExitRehearsalFailed =
    125;  // of rehearse --until-exit, which passes on others
inline constexpr int kExitInterrupted = 130;

constexpr int exit_code(Code code) {
  switch (code) {
    case Code::usage:
      return kExitUsage;
    case Code::policy:
      return kExitPolicy;
    case Code::not_found:
    case Code::unauthorized:
      return kExitNotFound;
    case Code::cancelled:
      return kExitInterrupted;
    case Code::unavailable:
    case Code::corrupt:
    case Code::unsupported:
    case Code::limit:
    case Code::conflict:
    case Code::invalid:
    case Code::unresolved:
    case Code::io:
    case Code::internal:
      return kExitFailed;
  }
  return kExitFailed;
}

}  // namespace cloister::cmd
