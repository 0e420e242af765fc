// PHP: its configuration, the extensions that it loads, and what programs include.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::php {

bool detect(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest::php
