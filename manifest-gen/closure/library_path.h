// The manifest's LD_LIBRARY_PATH: few directories, in an order that keeps every native choice.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// Under this name the loader must find this file.
struct LibraryChoice {
  std::string name;
  std::string directory;
  Digest sha256;
  bool must_list = false;  // nothing but LD_LIBRARY_PATH will lead to `directory`
  bool optional = false;   // only something a template grants needs it
  std::string needed_by;
};

struct LibraryPath {
  std::vector<std::string> directories;
  struct Conflict {
    std::size_t choice;
    std::string why;
  };
  std::vector<Conflict> conflicts;
};

// `environment` are the image's own LD_LIBRARY_PATH directories, kept in front where nothing speaks
// against it; `system` gives the order of the others. `granted` are the digests of all members: a
// wrong candidate that is not granted cannot be opened and is passed over by the loader (EACCES),
// so that it only matters when no order avoids it.
LibraryPath order_library_path(const measure::Rootfs& rootfs,
                               const std::vector<std::string>& environment,
                               const std::vector<std::string>& system,
                               const std::vector<LibraryChoice>& choices,
                               const std::set<Digest>& granted);

}  // namespace cloister::manifest
