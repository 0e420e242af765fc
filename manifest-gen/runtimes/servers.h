// Servers that are told by configuration files what to open.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/configuration.h"

namespace cloister::manifest {

// The row of a server, by the names of its program; null for any other program.
const Server* server_of(const ProgramStart& start, const measure::Rootfs& rootfs);

// Servers that have a row, and programs whose arguments name configuration.
bool detect_server(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze_server(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest
