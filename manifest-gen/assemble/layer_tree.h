// What the added layer holds, as a sorted list of entries.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "manifest-gen/assemble/assemble.h"

namespace cloister::manifest {

// Where the content of a file comes from: bytes at hand, or the runtime, read when it is written.
struct LayerEntry {
  enum class Type { directory, file, symlink } type = Type::directory;
  std::uint32_t mode = 0755;
  std::uint32_t uid = 0, gid = 0;
  std::variant<Bytes, measure::RuntimeFile> content;  // files only
  std::string link_target;
  std::uint64_t size() const;
};

// By path without leading '/': byte order, so that every directory stands before what is in it.
using LayerTree = std::map<std::string, LayerEntry>;

// `conflict` when the base has something at /gramine, or no directory where one must be made.
Result<LayerTree> plan_layer(const AssembleInput& input, const Limits& limits);

// The directories to make so that `path` exists, outermost first, with every symbolic link on the
// way resolved in the base; empty when it exists. `conflict` when something else is in the way.
Result<std::vector<std::string>> absent_directories(const measure::Rootfs& rootfs,
                                                    std::string_view path, const Limits& limits);

}  // namespace cloister::manifest
