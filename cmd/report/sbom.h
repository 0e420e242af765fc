// What the enclave may touch, as a software bill of materials.
#pragma once

#include <string>

#include "base/time.h"
#include "cmd/pipeline.h"

namespace cloister::cmd {

// SPDX 2.3 and CycloneDX 1.5, both as JSON: the image, the packages of granted files, the files
// with their SHA-256, and the runtime whose libc takes the place of the image's. The same closure
// and date give the same bytes: identifiers are derived from the content.
std::string spdx_json(const ClosurePlan& plan, Seconds created);
std::string cyclonedx_json(const ClosurePlan& plan, Seconds created);

}  // namespace cloister::cmd
