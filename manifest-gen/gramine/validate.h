// All that is wrong with a manifest, in order: what validate() stops at and `measure` warns about.
#pragma once

#include <vector>

#include "manifest-gen/gramine/enclave_manifest.h"

namespace cloister::manifest {

// At most `most` violations: first of the key table, then (loader) of the rules between keys.
std::vector<Error> find_violations(const EnclaveManifest& manifest, Strictness strictness,
                                   std::size_t most);

}  // namespace cloister::manifest
