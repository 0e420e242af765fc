// apk's database: /lib/apk/db/installed (apk-tools v2's text format).
#pragma once

#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/packages/package.h"

namespace cloister::manifest {

// With their files. Any bytes; the number of packages and files is bounded (`limit`).
Result<std::vector<Package>> parse_apk_installed(std::string_view text, const Limits& limits);

}  // namespace cloister::manifest
