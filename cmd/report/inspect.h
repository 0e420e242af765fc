// An image for people and for programs (schema/inspect.schema.json), and only its measurement
// (schema/inspect-measurement.schema.json).
#pragma once

#include <optional>
#include <string>

#include "cmd/enclave_image.h"
#include "cmd/guest/guest_statement.h"
#include "oci/documents/image.h"

namespace cloister::cmd {

std::string inspect_text(const oci::Image& image, const std::optional<EnclaveImage>& enclave);
// `guest`: the measurement of a virtual machine; null for images.
std::string inspect_json(const oci::Image& image, const std::optional<EnclaveImage>& enclave,
                         const GuestStatement* guest = nullptr);

std::string enclave_text(const EnclaveImage& enclave);
std::string enclave_json(const EnclaveImage& enclave);

}  // namespace cloister::cmd
