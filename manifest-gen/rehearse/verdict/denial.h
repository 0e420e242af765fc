// Why a path was not granted: what the image and the closure know of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::manifest {

// Fills in what is known of each of `denied` beside its uses: real path, what it is, cause, why,
// and for files of the image that may be granted the proposal. Those whose cause is `writing`
// keep it. One pass over the granted files for all of them.
void explain_denied(std::vector<Denied>& denied, const ObservedRun& run, const FileRules& rules,
                    const JudgeInput& input);

}  // namespace cloister::manifest
