// What a guest may do, in the vocabulary of enclave manifests: for who compares and audits either.
#pragma once

#include "base/toml.h"
#include "manifest-gen/guest/guest_plan.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

// libos.entrypoint, loader.*, fs.start_dir, fs.mounts, and the files as sgx.trusted_files. Names
// that are not UTF-8, which TOML cannot hold, are written with their bytes escaped.
TomlTable permissions_table(const GuestPlan& plan, const GuestTree& tree);

}  // namespace cloister::manifest
