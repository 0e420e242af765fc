// How large an enclave has to be for what a program was seen to take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/verdict/proposals.h"

namespace cloister::manifest {

// One value of the manifest against what was seen.
struct SizeAdvice {
  std::string key;      // "sgx.enclave_size"
  std::string current;  // as TOML text; of an absent key Gramine's default
  bool is_default = false;
  std::uint64_t seen = 0;  // bytes, or a number; 0: not known
  std::uint64_t need = 0;  // with headroom and Gramine's own; 0: not known
  bool in_bytes = false;
  enum class Outcome {
    enough,
    too_small,
    ample,    // at least twice what it takes
    unknown,  // nothing was seen that tells
  } outcome = Outcome::unknown;
  std::string arithmetic;            // how `need` came about, for people
  std::optional<Proposal> proposal;  // of another value; for `ample` a suggestion only
  bool operator==(const SizeAdvice&) const = default;
};
std::string_view size_outcome_name(SizeAdvice::Outcome outcome);

// sgx.enclave_size, sgx.max_threads, sys.stack.size, sys.brk.max_size, sys.fds.limit and
// sys.disallow_subprocesses. No value goes below what was seen.
std::vector<SizeAdvice> advise_sizes(const ObservedRun& run, const TomlTable& manifest);

}  // namespace cloister::manifest
