// Programs that program text runs by a command line: exec("git log | head"), run(["git", "log"]).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

// The programs of the image that `command` names, as found in PATH; and the shell, where it takes
// one to run it. Words that are no program say nothing.
std::vector<std::string> programs_run_by(std::string_view command, const AnalyzerScene& scene);

}  // namespace cloister::manifest
