// R: which packages a program loads, out of the library trees, and R's own start.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::r {

bool detect(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest::r
