// Where in an image a finding is: the layer of its file, and the package that owns it.
#pragma once

#include <vector>

#include "manifest-gen/audit/finding.h"
#include "manifest-gen/packages/package_index.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

void locate(std::vector<Finding>& findings, const measure::Rootfs& rootfs,
            const PackageIndex& packages);

// Worst first, accepted ones last, then by rule and place; each once.
void sort_findings(std::vector<Finding>& findings);

}  // namespace cloister::manifest
