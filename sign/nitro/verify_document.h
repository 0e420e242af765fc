// Whether an attestation document is genuine: signed by the key of a certificate that leads to
// AWS's root, at a time when all of them are valid. The certificate of an enclave lives for three
// hours, so that a document that was recorded does not pass for long.
#pragma once

#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/time.h"
#include "sign/nitro/attestation_document.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

struct NitroRoots {
  std::vector<Digest> keys;  // SHA-256 of each root's SubjectPublicKeyInfo

  // "aws.nitro-enclaves", of the commercial regions.
  static NitroRoots aws();
};

// Checks, in this order: quote-format, quote-chain, quote-dates, quote-signature, quote-debug.
// Without a chain to a root there are no dates and no signature to ask about. AWS publishes no
// revocation lists to be looked up here.
QuoteVerdict verify_nitro_document(const NitroDocument& document, const NitroRoots& roots,
                                   const QuoteRules& rules, Seconds at, const Limits& limits);

}  // namespace cloister::sign
