// The metadata of an enclave image file: what it was made from, for people. Nothing of it is
// measured, and the hypervisor only asks that it is there
// (aws-nitro-enclaves-image-format, README, "EifSectionMetadata").
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace cloister::manifest {

struct EifMetadata {
  std::string image_name, image_version;
  Seconds build_time{};  // the build's date, never the clock's
  std::string build_tool = "cloister", build_tool_version;
  std::string operating_system = "Linux", kernel_version;
  // CustomMetadata, for example the base image and its digest, in this order.
  std::vector<std::pair<std::string, std::string>> custom;
};

// JSON with the fields in the order of AWS's tools, without white space.
std::string eif_metadata_json(const EifMetadata& metadata);

}  // namespace cloister::manifest
