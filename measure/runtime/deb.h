// A Debian package as a layer (deb(5)).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "measure/rootfs/rootfs.h"

namespace cloister::measure {

// Opens the package's bytes from the start; called again whenever content is read later.
using OpenPackage = std::function<Result<std::unique_ptr<Source>>()>;

// `name` stands in errors. index->blob is the digest of the whole package. An entry
// var/lib/dpkg/status.d/PACKAGE is added, as if the package were installed, so that its version is
// found where versions are looked for.
Result<IndexedLayer> index_package(OpenPackage open, std::string name, const Limits& limits);

}  // namespace cloister::measure
