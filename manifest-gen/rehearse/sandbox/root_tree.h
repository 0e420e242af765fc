// The merged root file system of an image, made in a directory.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// The files that the rules grant, by whatever name: only these need their content.
std::set<const measure::Node*> granted_files(const FileRules& rules, const measure::Rootfs& rootfs);
std::set<const measure::Node*> all_files(const measure::Rootfs& rootfs);
std::uint64_t bytes_of(const std::set<const measure::Node*>& files);

// Everything below the empty directory `root`: names, kinds, modes, sizes and links as in the
// image, all owned by the caller; files have their size and no content. Devices are left out.
// `directories` (absolute, no links in them) are made where the image lacks them; `invalid` when
// one is something else.
Status make_names(int root, const measure::Rootfs& rootfs,
                  const std::vector<std::string>& directories, CancelToken cancel);
// The content of some. Times are 0, as Gramine shows them: no .pyc file is as new as its source.
Status fill_files(int root, const measure::Rootfs& rootfs,
                  const std::set<const measure::Node*>& files, CancelToken cancel);

}  // namespace cloister::manifest
