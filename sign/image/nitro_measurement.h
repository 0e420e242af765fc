// What is attested about an enclave image file of AWS Nitro: the registers that the hypervisor will
// fill, and what the file holds. The predicate is that of enclaves with "tee": "nitro"; hex is
// lower case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "measure/nitro/pcr.h"
#include "sign/image/guest_origin.h"

namespace cloister::sign {

struct NitroMeasurement : GuestOrigin {
  measure::nitro::Pcr pcr0{}, pcr1{}, pcr2{};
  std::optional<measure::nitro::Pcr> pcr8;  // of a signed file
  std::string kernel_version;
  Digest eif, kernel, init;   // SHA-256 of the file and of what is in it
  std::optional<Digest> nsm;  // of nsm.ko, where it comes along
  std::string command_line;

  bool operator==(const NitroMeasurement&) const;
};

std::string encode_nitro_measurement(const NitroMeasurement& measurement);
// `unsupported` for another TEE than nitro, `corrupt` for a field that is missing or malformed.
Result<NitroMeasurement> parse_nitro_measurement(std::string_view predicate, const Limits& limits);

}  // namespace cloister::sign
