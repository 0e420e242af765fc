// What two enclaves may do, compared: what the new one may that the old one may not, and the
// reverse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/toml.h"

namespace cloister::manifest {

// One side: a manifest, and what is known of where it comes from (empty: not known, not compared).
struct Permissions {
  TomlTable manifest;
  std::string base, runtime, mrenclave;
};

struct Change {
  // differs: neither may do more; the contents of a file, a size, a measurement.
  enum class Direction { widens, narrows, differs };
  Direction direction = Direction::differs;
  std::string area;           // "files", "environment", "arguments", "writable places" …
  std::string what;           // a path, a variable, a key
  std::string before, after;  // values; empty where there is none
};
std::string_view direction_name(Change::Direction direction);

// Widening ones first, then by area in the order in which reports have them.
std::vector<Change> compare_permissions(const Permissions& before, const Permissions& after);
bool widens(const std::vector<Change>& changes);

}  // namespace cloister::manifest
