// Path patterns over the merged root: '*' and '?' within a component, "**" across components.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// One component against one name; linear in practice, never exponential.
bool match_component(std::string_view pattern, std::string_view name);
// A whole absolute path, purely lexical.
bool match_path(std::string_view pattern, std::string_view path);
bool has_wildcard(std::string_view pattern);

// The lexical paths of regular files (and of symbolic links to them) that match, sorted. A pattern
// without wildcards that names a directory means everything below it. Literal components may be
// symbolic links; a wildcard never descends through one, so that loops and the same tree under a
// hundred names cannot happen.
std::vector<std::string> expand_glob(const measure::Rootfs& rootfs, std::string_view pattern);

}  // namespace cloister::manifest
