// The table of languages.
#include <array>

#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/python/python.h"
#include "manifest-gen/runtimes/servers.h"
#include "manifest-gen/runtimes/static_program.h"

namespace cloister::manifest {
namespace {

constexpr std::array kAnalyzers = {
    Analyzer{"python", python::detect, python::analyze},
    Analyzer{"server", detect_server, analyze_server},
    Analyzer{"static", detect_static, analyze_static},
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
