// Proposals as a manifest overlay, which `build --manifest` takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/verdict/proposals.h"

namespace cloister::manifest {

// TOML, each line with its reason as a comment. Names from images are hostile (newlines, quotes,
// control characters): the values are written structurally, comments are escaped. A path that is
// not UTF-8 cannot be stated in a manifest and is left as a remark, and so is a value that is no
// TOML.
std::string overlay_toml(const std::vector<Proposal>& proposals);

// The line of the overlay for one proposal: what to write by hand.
std::string overlay_line(const Proposal& proposal);

}  // namespace cloister::manifest
