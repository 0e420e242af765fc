// What it costs that a program runs in an enclave: the exits that its system calls cause, what they
// take, and what would spare them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/verdict/call_costs.h"

namespace cloister::manifest {

struct TaxOptions {
  // A round trip, with what it does to caches and buffers. An assumption: sgx-perf (Weichbrodt et
  // al., Middleware 2018) reports 5,850 cycles, 10,170 with the microcode against Spectre, and
  // 13,100 with that against Foreshadow.
  std::uint64_t cycles_per_exit = 12'000;
  std::uint64_t megahertz = 3'000;  // of the processor that it will run on
  bool edmm = false;
};

struct Tax {
  // False: only the calls that were watched for files are counted, and all below is too low.
  bool profiled = false;
  std::uint64_t calls = 0, exits = 0;
  struct Line {
    CallKey call;
    std::uint64_t times = 0, exits = 0;
    CallCost cost;
  };
  std::vector<Line> lines;         // most exits first, then most calls
  std::uint64_t look_ups = 0;      // paths that were looked up first: exits that are in no line
  std::uint64_t new_enclaves = 0;  // by fork
  // 0 where the time, or the number of requests, is not known.
  double exits_per_second = 0, exits_per_request = 0;
  double core_share = 0;          // of one core, while it ran: 0.05 is 5 %
  double micros_per_request = 0;  // of processor time
  double cpu_seconds = 0;         // of all exits
  struct Advice {
    std::string what;     // to do
    std::string because;  // what was seen
  };
  std::vector<Advice> advice;
  std::vector<std::string> assumptions;
};

Tax tax_of(const ObservedRun& run, const TaxOptions& options);

}  // namespace cloister::manifest
