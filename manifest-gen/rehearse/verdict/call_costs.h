// What a system call costs under Gramine with SGX: which are answered within the enclave, and how
// often the others leave it.
#pragma once

#include <string_view>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

struct CallCost {
  enum class Kind {
    inside,         // answered within the enclave
    leaves,         // leaves the enclave `exits` times
    new_enclave,    // builds and starts another enclave
    unimplemented,  // refused within the enclave
    unknown,        // in no row: taken to leave it once
  } kind = Kind::unknown;
  unsigned exits = 0;    // round trips per call, in the usual case
  std::string_view how;  // what happens, for people; may be empty
};
std::string_view cost_kind_name(CallCost::Kind kind);

// `edmm`: memory is added to the enclave on demand (sgx.edmm_enable).
CallCost cost_of(const CallKey& call, bool edmm);

// Exits of the first look-up of a path on the host; later ones are answered from a cache.
inline constexpr unsigned kLookUpExits = 3;  // open, fstat, close

}  // namespace cloister::manifest
