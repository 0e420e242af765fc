// Ruby: what a program requires, out of the load path and the installed gems.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::ruby {

bool detect(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest::ruby
