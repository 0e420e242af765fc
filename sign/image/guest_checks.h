// Whether a virtual machine's files are what it says of itself, what is attested of it, and what a
// processor reports: each question asked by itself, answered by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sign/image/checks.h"
#include "sign/image/guest_measurement.h"
#include "sign/quote/quote.h"

namespace cloister::sign {

struct GuestIdBlock {
  std::uint32_t vcpus = 0;
  SnpIdBlock block;
  SnpIdAuth auth;
};

struct GuestEvidence {
  GuestMeasurement stated;                   // by the artifact
  std::optional<GuestMeasurement> measured;  // from its files; nothing when that cannot be
  std::string problem;                       // why not
  std::vector<GuestIdBlock> blocks;          // one for each number of processors, or none
};

struct GuestPins {
  bool allow_debug = false;
};

// "guest-files", "launch-measurement", "id-block", "guest-policy".
std::vector<Check> check_guest_evidence(const GuestEvidence& evidence, const GuestPins& pins);
// "attested-guest": the measurement against the one that is attested.
std::vector<Check> check_guest_claim(const GuestEvidence& evidence, const GuestMeasurement& claim);

// The measurement attestation by `key` about this guest; see check_attestation().
struct GuestAttestation {
  Check check;
  std::optional<GuestMeasurement> claim;
};
GuestAttestation check_guest_attestation(const Digest& image,
                                         const std::vector<DsseEnvelope>& envelopes,
                                         const ImagePublicKey& key, const Limits& limits);

// "quote-image", "quote-measurement", "quote-policy", "quote-guest-svn", "quote-id-key": the report
// is of this guest.
std::vector<Check> check_quoted_guest(const Quote& quote, const GuestMeasurement& guest);

}  // namespace cloister::sign
