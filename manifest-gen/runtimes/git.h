// git starts other programs of its own, most of them of some megabytes; which, its first operand
// says.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

bool detect_git(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze_git(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest
