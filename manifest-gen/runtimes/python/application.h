// Which directories are the application's own, and the modules that stand in them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/runtimes/python/module_finder.h"

namespace cloister::manifest::python {

// A directory of programs ("…/bin") belongs to nobody's application, nor does one of the system.
bool is_application_directory(const measure::Rootfs& rootfs, std::string_view path);

struct ApplicationFile {
  std::string path;
  const measure::Node* node;
  std::string module;  // dotted, as seen from the directory
};
// The modules below a directory that have a source or are extension modules; without tests, hidden
// directories, virtual environments, and the directories in `apart`.
std::vector<ApplicationFile> application_files(const measure::Rootfs& rootfs,
                                               const std::string& directory,
                                               const std::vector<Place>& apart);

}  // namespace cloister::manifest::python
