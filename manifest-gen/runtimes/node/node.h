// Node.js: the analyser (a row of analyzers.cc).
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::node {

bool detect(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest::node
