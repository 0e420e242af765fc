// A directory of a test's own, whatever runs beside it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace cloister {

inline std::filesystem::path new_directory(const std::string& name) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / ("cloister-" + name + "-XXXXXX")).string();
  return ::mkdtemp(pattern.data());
}

}  // namespace cloister
