// Small path arithmetic that the analysers share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/path.h"
#include "base/text.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// `path` as a process in `directory` understands it; lexically normal.
inline std::string path_in(std::string_view directory, std::string_view path) {
  return measure::normalize_path(path.starts_with('/') ? std::string(path)
                                                       : cat(directory, "/", path));
}

inline bool is_file(const measure::Rootfs& rootfs, std::string_view path) {
  const measure::Node* node = rootfs.find(path);
  return node != nullptr && node->is_regular();
}

inline bool is_directory(const measure::Rootfs& rootfs, std::string_view path) {
  const measure::Node* node = rootfs.find(path);
  return node != nullptr && node->is_directory();
}

// Directories that hold more than one program's files: nothing is granted there whole.
bool is_shared_directory(std::string_view path);

// The directories that a pattern stands for, sorted; '*' and '?' within a component. Of a link and
// the directory it leads to ("5.36" → "5.36.0") the link: interpreters are built with that name.
std::vector<std::string> matching_directories(const measure::Rootfs& rootfs,
                                              std::string_view pattern);

}  // namespace cloister::manifest
