// Which paths of a directory or package a runtime can consist of.
#pragma once

#include <string_view>

namespace cloister::measure {

// `path` is relative to what --runtime named, without leading '/'. Whether it can be a file (or a
// symbolic link) of a runtime: part of Gramine, a library of its loader, version, licence.
bool is_runtime_file(std::string_view path);
// Whether such files can be below this directory.
bool may_hold_runtime_files(std::string_view directory);

}  // namespace cloister::measure
