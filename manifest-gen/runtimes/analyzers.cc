// The table of languages.
#include <array>

#include "manifest-gen/runtimes/analyzer.h"
#include "manifest-gen/runtimes/python/python.h"

namespace cloister::manifest {
namespace {

constexpr std::array kAnalyzers{
    Analyzer{"python", python::detect, python::analyze},
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
