// The predicate that ties an image to the enclave in it: what a relying party compares a quote
// with.
//
// Predicate type urn:cloister:enclave-measurement:v1, described by
// sign/image/schema/enclave-measurement-v1.json. Hex is lower case; byte strings are in memory
// order as in REPORT and SIGSTRUCT (Intel SDM vol. 3D, 38.13 and 38.15), so numbers among them read
// little-endian. Readers ignore fields they do not know; a breaking change is another type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::sign {

inline constexpr std::string_view kMeasurementPredicate = "urn:cloister:enclave-measurement:v1";

struct NamedDigest {
  std::string name;
  Digest sha256;
  bool operator==(const NamedDigest&) const = default;
};

struct MeasurementPredicate {
  std::string media_type, platform;  // of the image manifest; "linux/amd64"
  Sigstruct sigstruct;               // modulus, signature, q1 and q2 are not part of the predicate
  Digest mrsigner, sigstruct_digest;
  std::uint64_t enclave_size = 0;  // bytes
  std::string runtime_name, runtime_version;
  std::vector<NamedDigest> runtime_files;  // libpal.so, libsysdb.so
  std::string manifest_path;               // in the image
  Digest manifest_digest;
  std::uint64_t trusted_files = 0;  // entries of sgx.trusted_files
  Digest trusted_digest;            // SHA-256 of "<hex>  <path>\n" for each, sorted by path
  std::string base_uri;             // may be empty: a base that has no name others could use
  Digest base_digest;
  std::string generator_version;
};

std::string encode_measurement(const MeasurementPredicate& predicate);

// What a verifier reads back. `unsupported` for another TEE than sgx, `corrupt` for a field that is
// missing or malformed.
struct MeasurementClaim {
  Digest mrenclave, mrsigner, sigstruct_digest, manifest_digest, trusted_digest;
  std::uint16_t isvprodid = 0, isvsvn = 0;
  bool debug = false;
  std::uint64_t trusted_files = 0;
  std::string runtime_name, runtime_version, base_uri;
  std::vector<NamedDigest> runtime_files;
  Digest base_digest;
  bool operator==(const MeasurementClaim&) const = default;
};
Result<MeasurementClaim> parse_measurement(std::string_view predicate, const Limits& limits);

// The digest of `trusted_digest`, from (path, SHA-256) in any order.
Digest trusted_files_digest(std::vector<NamedDigest> files);

}  // namespace cloister::sign
