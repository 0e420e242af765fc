// All that is wrong with a manifest, in order: what validate() stops at and `measure` warns about.
#pragma once

#include <string>
#include <vector>

#include "manifest-gen/gramine/enclave_manifest.h"

namespace cloister::manifest {

struct Violation {
  std::string key;  // dotted; empty: of no one key
  Error error;
};

// At most `most` violations: first of the key table, then (loader) of the rules between keys.
std::vector<Violation> find_violations(const EnclaveManifest& manifest, Strictness strictness,
                                       std::size_t most);

}  // namespace cloister::manifest
