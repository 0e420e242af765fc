// What somebody kept of a run, whatever it is: a rehearsal's JSON, strace's output, Gramine's log.
#pragma once

#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"
#include "manifest-gen/rehearse/logs/call_tracker.h"
#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

enum class LogFormat { run, strace, gramine, unknown };
// By its beginning: a JSON object, or whichever of the two has more lines there.
LogFormat log_format(std::string_view beginning);

// Logs are read in pieces and in linear time; what is held grows with what is distinct in them.
// `what` names the log in errors. `corrupt` when it is none of the three, or nothing in it is of
// use.
Result<ObservedRun> read_observed_run(Source& source, const LogContext& context,
                                      const Limits& limits, std::string_view what);
Result<ObservedRun> read_observed_run(std::string_view text, const LogContext& context,
                                      const Limits& limits, std::string_view what);

}  // namespace cloister::manifest
