// The name under which newer versions of what a build was made from appear.
#pragma once

#include <optional>
#include <string>

#include "oci/documents/reference.h"

namespace cloister::cmd {

// "docker.io/library/redis:7". Nothing for an input that had no name others can use, or was named
// by digest alone: no tag says then what would be newer. `corrupt` for what is no name.
Result<std::optional<oci::ImageRef>> moving_name(const std::string& uri);

}  // namespace cloister::cmd
