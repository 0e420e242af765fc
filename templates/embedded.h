// The files of templates/, compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace cloister::templates {

struct File {
  std::string_view name;  // relative to templates/: "kinds/redis.toml"
  std::string_view text;
};

// Sorted by name.
std::span<const File> files();

}  // namespace cloister::templates
