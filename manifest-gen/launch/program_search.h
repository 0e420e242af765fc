// Where execvp would find a program: the PATH search inside an image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// What Docker sets when the image's Env has no PATH.
inline constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct ProgramSearch {
  std::string found;                  // absolute lexical path, empty when there is none
  std::vector<std::string> searched;  // every place passed over, in order, with the reason
};

// A name with a slash is taken relative to `workdir`, a bare one is looked for in the directories
// of `path` (an empty one means `workdir`). Only a regular file with an execute bit counts.
ProgramSearch find_program(const measure::Rootfs& rootfs, std::string_view name,
                           std::string_view path, std::string_view workdir);

// The executable in those places whose name differs least from `name`, for a hint; empty when none
// is near.
std::string nearest_program(const measure::Rootfs& rootfs, std::string_view name,
                            std::string_view path, std::string_view workdir);

// `path` made absolute against `workdir`; lexically normal when that names the same file, else with
// its symbolic links resolved ("/link/../x" is not "/x"). REQUIRES: it exists.
std::string absolute_path(const measure::Rootfs& rootfs, std::string_view path,
                          std::string_view workdir);

}  // namespace cloister::manifest
