// What is attested about every kind of virtual machine, whatever measures it: what it holds, and of
// what it was made. The predicate (urn:cloister:enclave-measurement:v1) has a member beside these
// that is named after the TEE.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::sign {

struct GuestOrigin {
  std::string platform;     // "linux/amd64"
  Digest document;          // of the guest document
  std::uint64_t files = 0;  // that the root holds
  Digest files_digest;      // trusted_files_digest() of them
  std::string base_uri;     // may be empty: a base that has no name others could use
  Digest base_digest;
  std::string generator_version;
};

// `own` is the member named `tee`.
std::string encode_guest_predicate(std::string_view tee, const GuestOrigin& origin,
                                   OrderedJson own);
// The member of this TEE, and the others in `origin`. `unsupported` for another TEE, `corrupt` for
// a field that is missing or malformed.
Result<Json> parse_guest_predicate(std::string_view predicate, std::string_view tee,
                                   const Limits& limits, GuestOrigin& origin);

}  // namespace cloister::sign
