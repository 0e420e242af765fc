// CPython 3: what one start of an interpreter opens.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::python {

bool detect(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest::python
