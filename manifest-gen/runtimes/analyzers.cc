// The table of languages.
#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/git.h"
#include "manifest-gen/runtimes/installed_library.h"
#include "manifest-gen/runtimes/java/java.h"
#include "manifest-gen/runtimes/node/node.h"
#include "manifest-gen/runtimes/perl/perl.h"
#include "manifest-gen/runtimes/php/php.h"
#include "manifest-gen/runtimes/python/python.h"
#include "manifest-gen/runtimes/r/r.h"
#include "manifest-gen/runtimes/ruby/ruby.h"
#include "manifest-gen/runtimes/servers.h"
#include "manifest-gen/runtimes/static_program.h"

namespace cloister::manifest {
namespace {

constexpr Analyzer kAnalyzers[] = {
    {"git", detect_git, analyze_git},
    {"java", java::detect, java::analyze},
    {"node", node::detect, node::analyze},
    {"perl", perl::detect, perl::analyze},
    {"php", php::detect, php::analyze},
    {"python", python::detect, python::analyze},
    {"r", r::detect, r::analyze, true},
    {"ruby", ruby::detect, ruby::analyze},
    {"server", detect_server, analyze_server},
    {"static", detect_static, analyze_static},
    {"installed-library", detect_installed_library, analyze_installed_library, true},
};

}  // namespace

std::span<const Analyzer> analyzers() {
  return kAnalyzers;
}

std::string_view AnalyzerScene::env(std::string_view name, std::string_view fallback) const {
  for (const auto& [key, value] : launch.env)
    if (key == name) return value;
  return fallback;
}

}  // namespace cloister::manifest
