// Where R itself lies (R_HOME), and the library trees that packages are installed in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::r {

// The R that the program belongs to, else all of the image: directories with library/base.
std::vector<std::string> home_directories(const measure::Rootfs& rootfs,
                                          const std::string& program);

class Libraries {
 public:
  explicit Libraries(const measure::Rootfs& rootfs) : rootfs_(rootfs) {}

  void add(std::string_view directory);
  // R_LIBS and its like, of the environment and of Renviron files; renv's and the user's own; what
  // distributions compile in.
  Status add_defaults(const AnalyzerScene& scene, const std::vector<std::string>& homes);

  // Every installed package of that name: its directory. All of them count, for the order of the
  // trees is decided by environment files.
  std::vector<std::string> find(std::string_view package) const;

 private:
  void add_listed(std::string_view text);

  const measure::Rootfs& rootfs_;
  std::vector<std::string> directories_;
};

}  // namespace cloister::manifest::r
