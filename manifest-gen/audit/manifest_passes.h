// The parts of manifest_findings() that stand in files of their own.
#pragma once

#include <vector>

#include "base/toml.h"
#include "manifest-gen/audit/finding.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// sgx.allowed_files and sgx.trusted_files: what the host may change, and what is listed loosely.
void file_list_findings(const TomlTable& manifest, const measure::Rootfs* rootfs,
                        std::vector<Finding>& out);

}  // namespace cloister::manifest
