// An analyser asked about one start of a program in a small image.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "manifest-gen/runtimes/analyzer.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::test {

struct Scene {
  explicit Scene(Tree tree, std::string workdir = "/app") : rootfs(tree.build()) {
    launch.workdir = std::move(workdir);
  }

  manifest::Analysis analyze(std::string_view name, std::vector<std::string> argv,
                             std::string path = {}) const {
    const manifest::ProgramStart start{path.empty() ? argv.front() : path, argv, true};
    const manifest::AnalyzerScene scene{launch, rootfs, limits};
    for (const manifest::Analyzer& analyzer : manifest::analyzers()) {
      if (analyzer.name != name) continue;
      EXPECT_TRUE(analyzer.detect(start, scene)) << start.path;
      auto found = analyzer.analyze(start, scene);
      if (found) return std::move(*found);
      ADD_FAILURE() << found.error().what();
    }
    return {};
  }

  measure::Rootfs rootfs;
  manifest::Launch launch;
  Limits limits;
};

inline std::vector<std::string> paths(const manifest::Analysis& analysis) {
  std::vector<std::string> out;
  for (const auto& root : analysis.roots) out.push_back(root.path_or_glob);
  std::sort(out.begin(), out.end());
  return out;
}

inline bool grants(const manifest::Analysis& analysis, std::string_view path) {
  return std::any_of(analysis.roots.begin(), analysis.roots.end(),
                     [&](const auto& root) { return root.path_or_glob == path; });
}

}  // namespace cloister::test
