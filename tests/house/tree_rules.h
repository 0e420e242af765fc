// The rules of the house as functions over a source tree, so that they can be shown to bite on a
// small wrong tree as well as to hold on the real one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cloister::house {

// One broken rule: "path:line: what is wrong", the path relative to the root.
using Findings = std::vector<std::string>;

// Which top-level folder may include which other: base, then oci, then measure, then the rest;
// nothing includes cmd. Every `#include "…"` is written from the root and names an existing file.
Findings check_arrows(const std::filesystem::path& root);
// Headers of large libraries appear in .cc files only: a header is a contract, not a dependency.
Findings check_heavy_headers(const std::filesystem::path& root);
// Libraries do not throw, catch, print, or read environment or clock: cmd/ passes these in.
Findings check_libraries_are_quiet(const std::filesystem::path& root);
// Headers begin with a comment that says what they are for, and are included once.
Findings check_headers(const std::filesystem::path& root);
// Every source is named in the CMakeLists.txt of its folder: none is left out of the build.
Findings check_sources_are_built(const std::filesystem::path& root);
// No two sources of one folder define the same local name (unnamed namespace) in the same
// namespace: the build compiles several sources at once (CMake's unity builds), where they would
// meet.
Findings check_local_names(const std::filesystem::path& root);
// Every fuzz target is registered and has seeds, and no seeds lie about without a target.
Findings check_fuzz_targets(const std::filesystem::path& root);
// Every top-level folder explains itself in a README.md.
Findings check_readmes(const std::filesystem::path& root);
// No leftovers (to-do marks, paths or hosts of one machine), no overlong source, no bulky file.
Findings check_leftovers(const std::filesystem::path& root);

}  // namespace cloister::house
