// Runs another program and takes what it prints: no shell, bounded output, bounded time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/cancel.h"
#include "base/result.h"

namespace cloister {

struct ProgramRun {
  std::vector<std::string> arguments;              // argv; the program is looked for in $PATH
  std::map<std::string, std::string> environment;  // all that it sees
  ByteView input;                                  // its standard input
  bool show_errors = false;                        // its stderr is ours; else it is dropped
  std::uint64_t max_output = 0;                    // bytes
  std::chrono::seconds patience{60};
  CancelToken cancel = {};
};

struct ProgramOutput {
  int status = -1;  // exit status, -1 after a signal
  Bytes output;
};

// REQUIRES: arguments is not empty. `io` when it cannot be run, `limit` when it prints more than
// max_output, `unavailable` when it does not end in time; in the latter two it is killed. Its
// status is for the caller to judge. Hints are too.
Result<ProgramOutput> run_program(const ProgramRun& run);

}  // namespace cloister
