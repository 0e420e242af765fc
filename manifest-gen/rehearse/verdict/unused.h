// What a manifest grants and a run never touched.
#pragma once

#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::manifest {

// Fills in `granted`, `unused` and their sums, and with `tighten` what to exclude. The runtime's
// own files are not among them: another libc ran. Nor is what Gramine itself opens.
void find_unused(Verdict& verdict, const ObservedRun& run, const JudgeInput& input);

}  // namespace cloister::manifest
