// Whether an enclave image file of AWS Nitro is what its artifact says of it, and what is attested:
// each question asked by itself, answered by name, as guest_checks.h does for virtual machines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sign/image/checks.h"
#include "sign/image/nitro_measurement.h"
#include "sign/nitro/eif_signature.h"
#include "sign/quote/quote.h"

namespace cloister::sign {

struct NitroEvidence {
  NitroMeasurement stated;                   // by the artifact
  std::optional<NitroMeasurement> measured;  // from the file; nothing when that cannot be
  std::string problem;                       // why not
  std::optional<EifSignature> signature{};   // of a signed file, when it can be read
  std::string signature_problem{};           // why it cannot
};

// "guest-files", "pcrs", "eif-signature".
std::vector<Check> check_nitro_evidence(const NitroEvidence& evidence);
// "attested-guest": the measurement against the one that is attested.
std::vector<Check> check_nitro_claim(const NitroEvidence& evidence, const NitroMeasurement& claim);

// The measurement attestation by `key` about this enclave; see check_attestation().
struct NitroAttestation {
  Check check;
  std::optional<NitroMeasurement> claim;
};
NitroAttestation check_nitro_attestation(const Digest& image,
                                         const std::vector<DsseEnvelope>& envelopes,
                                         const ImagePublicKey& key, const Limits& limits);

// "quote-image", "quote-pcrs" (of a signed file PCR8 too): the document is of this enclave.
std::vector<Check> check_quoted_nitro(const Quote& quote, const NitroMeasurement& measurement);

}  // namespace cloister::sign
