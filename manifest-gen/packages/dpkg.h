// dpkg's database: /var/lib/dpkg/status, info/*.list; and what distroless images have of it,
// status.d/NAME with NAME.md5sums.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/packages/package.h"

namespace cloister::manifest {

// The paragraphs of deb-control(5) that describe an installed package; others are left out.
// `files` stays empty. Any bytes; only the number of packages is bounded (`limit`).
Result<std::vector<Package>> parse_dpkg_status(std::string_view text, const Limits& limits);

// One absolute path per line.
std::vector<std::string> parse_dpkg_list(std::string_view text);

// "<md5>  usr/bin/x" per line, relative to the root: absolute paths.
std::vector<std::string> parse_md5sums(std::string_view text);

}  // namespace cloister::manifest
