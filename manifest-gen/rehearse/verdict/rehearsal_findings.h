// What a rehearsal says against a manifest, as findings of an audit.
#pragma once

#include <vector>

#include "manifest-gen/audit/finding.h"
#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::manifest {

// One for each path that was refused and matters, for each size that is too small, and for each
// group of files that were never touched.
std::vector<Finding> rehearsal_findings(const Verdict& verdict);

}  // namespace cloister::manifest
