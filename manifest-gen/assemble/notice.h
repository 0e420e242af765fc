// What the licences of the redistributed runtime ask to be told (LGPL-2.1 §2, §6; LGPL-3.0 §4).
#pragma once

#include <string>

#include "manifest-gen/assemble/assemble.h"

namespace cloister::manifest {

// The file NOTICE beside the copyright files: exact version and source of each part, and a dated
// notice that the loader was modified.
std::string notice_text(const AssembleInput& input);

// The runtime's file behind a member that is from there, or null.
const measure::RuntimeFile* runtime_file_of(const Member& member, const measure::Runtime& runtime);

// Where a copyright file goes: by the package whose documentation directory it stands in.
std::string license_path(const measure::RuntimeFile& file);

// SPDX expression of the redistributed parts, joined to the base image's own one (may be empty).
std::string license_expression(const measure::Runtime& runtime, const std::string& base);

}  // namespace cloister::manifest
