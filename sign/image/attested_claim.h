// What one key attests about an image, found among what anyone may have attached.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sign/image/checks.h"

namespace cloister::sign {

std::string key_name(const ImagePublicKey& key);  // "ecdsa-p256 key 67707b9e408c015b"

template <class Claim>
struct FoundClaim {
  Check check;  // "attestation"; when there is a claim, for the caller to fill
  std::optional<Claim> claim;
};

// The measurement that `key` states about the image. Two that say different things are a failure:
// nobody could know which one is meant.
template <class Claim, class Parse>
FoundClaim<Claim> find_claim(const Digest& image, const std::vector<DsseEnvelope>& envelopes,
                             const ImagePublicKey& key, const Limits& limits, Parse parse) {
  FoundClaim<Claim> out;
  const auto fail = [&](std::string found, std::string expected) {
    out.check = failed_check("attestation", std::move(found), std::move(expected));
    out.claim.reset();
    return std::move(out);
  };
  bool misplaced = false;
  for (const DsseEnvelope& envelope : envelopes) {
    const auto statement = statement_by(envelope, key, limits);
    if (!statement || statement->predicate_type != kMeasurementPredicate) continue;
    if (!statement->is_about(image)) {
      misplaced = true;
      continue;
    }
    auto claim = parse(statement->predicate, limits);
    if (!claim.has_value()) return fail(claim.error().what(), std::string(kMeasurementPredicate));
    if (out.claim && !(*out.claim == *claim))
      return fail("two attestations by this key that disagree", "one answer");
    out.claim = std::move(*claim);
  }
  if (out.claim) return out;
  if (misplaced) return fail("an attestation about another image", image.str());
  return fail(envelopes.empty() ? "nothing is attested about the image"
                                : "no measurement attestation by this key",
              cat(kMeasurementPredicate, " by the ", key_name(key)));
}

}  // namespace cloister::sign
