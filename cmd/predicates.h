// What is stated about an enclave-ready image by who signs it: its measurement, how it was built,
// and, when asked for, what is in it. All of it is read from the image's own bytes.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/enclave_image.h"
#include "cmd/session.h"

namespace cloister::cmd {

struct Predicate {
  std::string_view type;
  std::string text;  // a JSON object
};

enum class SbomFormat { none, spdx, cyclonedx };
void add_sbom_option(CLI::App& app, std::string& format);
SbomFormat sbom_format(const std::string& name);  // of --sbom

// The measurement comes first. A `policy` error when the image does not hold what it promises: that
// is not attested.
Result<std::vector<Predicate>> enclave_predicates(const LoadedImage& loaded,
                                                  const EnclaveImage& enclave, SbomFormat sbom,
                                                  const Limits& limits);

}  // namespace cloister::cmd
