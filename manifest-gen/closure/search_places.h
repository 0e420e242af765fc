// Where an image's loaders look, read once from its configuration.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/closure/library_search.h"
#include "manifest-gen/launch/launch.h"

namespace cloister::manifest {

// Of the image's Env, ld.so.conf, ld.so.cache and musl's path file. A cache that the loader would
// not use is as good as none.
Result<SearchPlaces> search_places(LoaderKind loader, const Launch& launch,
                                   const measure::Rootfs& rootfs, const Limits& limits);

// The directories of LD_LIBRARY_PATH that exist, lexically normal. `origin`: $ORIGIN, the directory
// of the main program.
std::vector<std::string> environment_directories(const SearchPlaces& places,
                                                 const measure::Rootfs& rootfs,
                                                 std::string_view origin);

}  // namespace cloister::manifest
