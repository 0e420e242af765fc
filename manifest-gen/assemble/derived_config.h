// The configuration and manifest of the built image, derived from those of the base.
#pragma once

#include <map>
#include <string>

#include "manifest-gen/assemble/assemble.h"

namespace cloister::manifest {

// What is said about the image: labels of its configuration, annotations of an OCI manifest.
// `invalid` when a user's label would replace one that states a measured fact.
Result<std::map<std::string, std::string>> image_facts(const AssembleInput& input);

// The base's document with entrypoint, labels, creation time, history and diff_ids changed and
// everything else as it was.
Result<std::string> derive_config(const AssembleInput& input, const Digest& layer_diff_id,
                                  const std::map<std::string, std::string>& facts,
                                  const Limits& limits);

}  // namespace cloister::manifest
