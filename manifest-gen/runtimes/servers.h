// Servers that are told by configuration files what to open.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

bool detect_server(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze_server(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest
