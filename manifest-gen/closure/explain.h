// Why a path is in a closure, or what it would take to bring it in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/packages/package_index.h"

namespace cloister::manifest {

struct Explanation {
  std::string path;       // as asked for, normalised
  std::string real_path;  // of the file at its end
  bool granted = false;
  // Granted, but not under the path that was asked for: Gramine would refuse to open it.
  bool other_name = false;
  std::vector<std::string> names;  // every path under which it is granted
  bool from_runtime = false;
  std::string package;  // "openssl 3.0.11-1", or empty

  // From the launch to the file, the shortest first; indices into Closure::edges.
  std::vector<std::vector<std::size_t>> chains;
  bool more_chains = false;  // the search was cut off

  // Of a file that is not granted:
  std::vector<std::string> notes;  // why not, where something decided so; sentences
  struct Needer {
    std::string path;
    std::string how;  // "NEEDED libssl.so.3", "names libssl.so.3"
    bool granted = false;
  };
  std::vector<Needer> needers;       // files of the image that would bring it in
  std::vector<std::string> nearest;  // granted files of its package, else of its directory
  std::vector<std::string> options;  // command line options that would grant it
};

// `path`: an absolute path in the built image, or a file name ("libssl.so.3") that stands for the
// granted file of that name, else the image's. `invalid` when there is no such file, with files
// of that name; and for a directory, with what is granted below it.
Result<Explanation> explain(const Closure& closure, const measure::Rootfs& rootfs,
                            const PackageIndex& packages, std::string_view path);

}  // namespace cloister::manifest
