// What is attested about a virtual machine: the launch measurements that its processor will report,
// and all that they were computed from. The predicate is that of enclaves
// (urn:cloister:enclave-measurement:v1) with "tee": "snp"; hex is lower case, byte strings are in
// memory order as in a report (SEV-SNP firmware ABI, 56860).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/sha384.h"
#include "sign/image/guest_origin.h"
#include "sign/snp/id_block.h"

namespace cloister::sign {

struct LaunchMeasurementOf {
  std::uint32_t vcpus = 0;
  Digest384 digest{};
  bool operator==(const LaunchMeasurementOf&) const = default;
};

struct GuestMeasurement : GuestOrigin {
  std::string vmm, vcpu_type;                // "qemu"; "EPYC-v4"
  std::uint32_t vcpu_signature = 0;          // CPUID Fn0000_0001_EAX
  std::uint64_t guest_features = 0;          // SEV_FEATURES
  SnpIdBlock block;                          // policy and ids; its launch_digest is not used
  std::vector<LaunchMeasurementOf> digests;  // one for each number of processors
  std::string kernel_version, firmware_name;
  Digest kernel, initrd, firmware;  // SHA-256 of the files
  std::string command_line;
  std::optional<Digest> disk;              // SHA-256 of the file
  std::optional<Digest384> id_key_digest;  // with ID blocks

  bool operator==(const GuestMeasurement&) const;
};

std::string encode_guest_measurement(const GuestMeasurement& measurement);
// `unsupported` for another TEE than snp, `corrupt` for a field that is missing or malformed.
Result<GuestMeasurement> parse_guest_measurement(std::string_view predicate, const Limits& limits);

}  // namespace cloister::sign
