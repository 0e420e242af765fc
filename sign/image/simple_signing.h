// Simple signing payloads, as cosign's .sig tags and the containers policy have them: a JSON text
// that names an image digest and where it was signed; the signature is over its bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::sign {

struct SimpleSigning {
  std::string docker_reference;  // "host/repo:tag"; the tag is what podman's default policy wants
  Digest manifest_digest;
};

std::string encode_simple_signing(const SimpleSigning& claim);
// `corrupt` for anything else, also for another critical.type.
Result<SimpleSigning> parse_simple_signing(std::string_view text, const Limits& limits);

}  // namespace cloister::sign
