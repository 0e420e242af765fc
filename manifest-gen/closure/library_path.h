// The manifest's LD_LIBRARY_PATH: few directories, in an order that keeps every native choice.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// Under this name the loader must find this file.
struct LibraryChoice {
  std::string name;
  std::string directory;                // as the image's loader spells it, above any glibc-hwcaps
  const measure::Node* node = nullptr;  // the file; several choices of a name differ by processor
  bool must_list = false;               // nothing but LD_LIBRARY_PATH will lead to `directory`
  bool optional = false;                // only something a template grants needs it
  std::string needed_by;
};

struct LibraryPath {
  std::vector<std::string> directories;
  // How the runtime's loader spells chosen files: each must be granted.
  struct Spelling {
    const measure::Node* node;
    std::string path;
  };
  std::vector<Spelling> spellings;
  // Choices for which it opens another file.
  struct Conflict {
    std::size_t choice;
    std::string why;
  };
  std::vector<Conflict> conflicts;
};

// `environment` are the image's own LD_LIBRARY_PATH directories, kept in front where nothing speaks
// against it; `system` gives the order of the others. `granted` says of a lexical path whether it
// can be opened: a wrong candidate that cannot is passed over by the loader (EACCES), so that it
// only matters when an order avoids it for nothing.
LibraryPath order_library_path(const measure::Rootfs& rootfs,
                               const std::vector<std::string>& environment,
                               const std::vector<std::string>& system,
                               const std::vector<LibraryChoice>& choices,
                               const std::function<bool(std::string_view)>& granted);

}  // namespace cloister::manifest
