// The installed distributions (.dist-info and .egg-info in the directories of sys.path): what
// importlib.metadata and pkg_resources read, entry points, and which packages belong together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/runtimes/python/configuration.h"
#include "manifest-gen/runtimes/python/module_finder.h"

namespace cloister::manifest::python {

class Distributions {
 public:
  Distributions(const measure::Rootfs& rootfs, const Limits& limits)
      : rootfs_(rootfs), limits_(limits) {}

  // Looks through the places once; later calls do nothing.
  void collect(const std::vector<Place>& places);

  // METADATA, entry points and the like of all of them.
  std::vector<std::string> metadata_files() const;
  // Of all distributions.
  Result<std::vector<EntryPoint>> entry_points() const;
  // The top-level modules of the distribution that has this one, it included; from RECORD, else
  // from top_level.txt. Empty when no distribution claims it.
  Result<std::vector<std::string>> siblings(std::string_view top_level);

 private:
  struct Distribution {
    std::string path;  // of the directory, or of an .egg-info file
    const measure::Node* node;
    std::optional<std::vector<std::string>> top_levels;  // once they were wanted
  };
  // Nothing when absent or too large to be at hand.
  Result<std::optional<std::string>> text(const Distribution& distribution,
                                          std::string_view name) const;
  Result<std::vector<std::string>> top_levels(const Distribution& distribution) const;

  const measure::Rootfs& rootfs_;
  const Limits& limits_;
  bool collected_ = false;
  std::vector<Distribution> distributions_;
};

}  // namespace cloister::manifest::python
