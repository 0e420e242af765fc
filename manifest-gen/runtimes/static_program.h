// Programs without a loader (Go, Rust for musl, C linked statically): no library says what they
// open, only the paths in their own text. Go and Rust with a loader keep such paths too.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

bool detect_static(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze_static(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest
