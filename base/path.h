// Paths inside an image as text: absolute, separated by '/', never looked up in a file system.
#pragma once

#include <string_view>

namespace cloister {

// "/a/b" → "b"; a text without a slash is all name.
inline std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// "/a/b" → "/a"; "/a" → "/", and so does a text without a slash. A view into `path`.
inline std::string_view parent_directory(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
}

// `directory` itself or what lies anywhere below it: "/a/b" is within "/a" and "/a/", "/ab" is not.
// Both are lexically normal; everything is within "/".
inline bool is_within(std::string_view path, std::string_view directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.remove_suffix(1);
  return directory == "/" || (path.starts_with(directory) &&
                              (path.size() == directory.size() || path[directory.size()] == '/'));
}

}  // namespace cloister
