// Interpreters whose programs are not followed: Erlang and Elixir, Guile, Lisp, Mono, Tcl. What is
// installed of their library is granted whole, and people are told so.
#pragma once

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest {

bool detect_installed_library(const ProgramStart& start, const AnalyzerScene& scene);
Result<Analysis> analyze_installed_library(const ProgramStart& start, const AnalyzerScene& scene);

}  // namespace cloister::manifest
