// What will run: the image's execution configuration, the user's changes, and the root file
// system, resolved to values that a Gramine manifest can state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "manifest-gen/launch/passwd.h"
#include "measure/rootfs/rootfs.h"
#include "oci/documents/image.h"

namespace cloister::manifest {

// Command line changes (--entrypoint, --arg …).
struct LaunchOverrides {
  std::optional<std::string> entrypoint;                 // replaces Entrypoint and drops Cmd
  std::vector<std::string> args;                         // replace Cmd when not empty
  std::vector<std::pair<std::string, std::string>> env;  // replaces or adds
  std::vector<std::string> passthrough;                  // names taken from the host at run time
  std::optional<std::string> user, workdir;
};

struct Launch {
  std::vector<std::string> argv;  // argv[0] stays as the image has it
  std::string program;            // the path found (PATH search for a bare name), absolute, lexical
  std::string entrypoint;         // `program` with every symlink resolved: libos.entrypoint
  std::vector<std::pair<std::string, std::string>>
      env;  // last value of a repeated name wins; image order
  std::vector<std::string> passthrough;
  std::string workdir;  // "/" when the image names none
  std::uint32_t uid = 0, gid = 0;
  std::string user;                  // as given, for people
  std::vector<std::string> volumes;  // the image's: absolute, normal, sorted
  // Directories that must exist when the enclave starts and that the image lacks: WORKDIR, /proc,
  // /sys, /dev, /tmp as mount points.
  std::vector<std::string> missing_directories;
};

// Who a container runtime takes `user` (an image's User) for, by the image's passwd and group.
Result<Identity> identity_of(std::string_view user, const measure::Rootfs& rootfs);

// `unresolved` when there is no entrypoint, or it (or the user) is not in the image, with the
// places searched; `unsupported` for values Gramine cannot express (NUL, not UTF-8).
Result<Launch> resolve_launch(const oci::ExecutionConfig& config, const measure::Rootfs& rootfs,
                              const LaunchOverrides& overrides);

}  // namespace cloister::manifest
