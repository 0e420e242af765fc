// An ObservedRun as JSON and back, losslessly: what a rehearsal keeps, and `cloister learn` merges.
// cmd/report/schema/run.schema.json describes it.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

// The same run gives the same bytes: one path a line, counts that are 0 left out.
std::string run_json(const ObservedRun& run);

// Also of a document that has the run as its member "run". `what` names it in errors. Paths that
// are not absolute and lexically normal, and counts that overflow, are `corrupt`.
Result<ObservedRun> parse_run_json(std::string_view text, const Limits& limits,
                                   std::string_view what);

}  // namespace cloister::manifest
