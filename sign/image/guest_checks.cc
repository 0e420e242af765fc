#include "sign/image/guest_checks.h"

#include <algorithm>

#include "base/text.h"
#include "sign/image/attested_claim.h"

namespace cloister::sign {
namespace {

std::string digests_text(const std::vector<LaunchMeasurementOf>& digests) {
  std::string out;
  for (const LaunchMeasurementOf& one : digests)
    out += cat(out.empty() ? "" : ", ", hex(one.digest), " (", one.vcpus,
               one.vcpus == 1 ? " processor)" : " processors)");
  return out;
}

// The launch digests depend on everything else: they are asked about by themselves.
Check files_check(const GuestEvidence& evidence) {
  if (!evidence.measured)
    return failed_check("guest-files", evidence.problem, "files that can be measured");
  GuestMeasurement measured = *evidence.measured;
  measured.digests = evidence.stated.digests;
  if (measured == evidence.stated)
    return passed_check("guest-files", cat(measured.files, " files are what the document lists"));
  return failed_check("guest-files", "the files are not what the measurement says",
                      "the files that were measured");
}

Check launch_check(const GuestEvidence& evidence) {
  if (!evidence.measured)
    return failed_check("launch-measurement", "cannot be computed: " + evidence.problem,
                        digests_text(evidence.stated.digests));
  if (evidence.measured->digests == evidence.stated.digests)
    return passed_check("launch-measurement", digests_text(evidence.stated.digests));
  return failed_check("launch-measurement", digests_text(evidence.measured->digests),
                      digests_text(evidence.stated.digests));
}

Check block_check(const GuestEvidence& evidence) {
  const GuestMeasurement& stated = evidence.stated;
  const auto fail = [](std::string found) {
    return failed_check("id-block", std::move(found), "an ID block for each measurement");
  };
  if (!stated.id_key_digest && evidence.blocks.empty())
    return passed_check("id-block", "none: the processor launches without");
  if (!stated.id_key_digest || evidence.blocks.size() != stated.digests.size())
    return fail("ID blocks are missing, or not spoken of");
  for (std::size_t i = 0; i < evidence.blocks.size(); ++i) {
    const GuestIdBlock& block = evidence.blocks[i];
    SnpIdBlock want = stated.block;
    want.launch_digest = stated.digests[i].digest;
    if (block.vcpus != stated.digests[i].vcpus || !(block.block == want))
      return fail("an ID block of another guest");
    if (!check_snp_id_auth(block.auth, block.block).has_value())
      return fail("an ID block that is not signed as it must be");
    if (snp_key_digest(block.auth.id_key) != *stated.id_key_digest)
      return fail("an ID block by another key");
  }
  return passed_check("id-block", cat("by the key ", hex(*stated.id_key_digest)));
}

Check policy_check(const GuestEvidence& evidence, const GuestPins& pins) {
  const SnpPolicy policy = evidence.stated.block.policy;
  if (policy.debug() && !pins.allow_debug)
    return failed_check("guest-policy", "the host may read the guest's memory (debugging)",
                        "a policy without debugging");
  return passed_check("guest-policy", policy.debug() ? "debugging is allowed" : "no debugging");
}

template <class T>
Check equal_or(std::string name, const T& found, const T& expected) {
  return found == expected ? passed_check(std::move(name), hex(found))
                           : failed_check(std::move(name), hex(found), hex(expected));
}

}  // namespace

std::vector<Check> check_guest_evidence(const GuestEvidence& evidence, const GuestPins& pins) {
  return {files_check(evidence), launch_check(evidence), block_check(evidence),
          policy_check(evidence, pins)};
}

std::vector<Check> check_guest_claim(const GuestEvidence& evidence, const GuestMeasurement& claim) {
  if (evidence.stated == claim)
    return {passed_check("attested-guest", "what the artifact says of itself")};
  return {failed_check("attested-guest", "the artifact says something else of itself",
                       digests_text(claim.digests))};
}

GuestAttestation check_guest_attestation(const Digest& image,
                                         const std::vector<DsseEnvelope>& envelopes,
                                         const ImagePublicKey& key, const Limits& limits) {
  auto found = find_claim<GuestMeasurement>(image, envelopes, key, limits, parse_guest_measurement);
  if (found.claim) found.check = passed_check("attestation", digests_text(found.claim->digests));
  return {std::move(found.check), std::move(found.claim)};
}

std::vector<Check> check_quoted_guest(const Quote& quote, const GuestMeasurement& guest) {
  const auto* report = std::get_if<SnpReport>(&quote);
  if (report == nullptr)
    return {failed_check("quote-image", cat("the quote is of ", tee_subject(tee_of(quote))),
                         "a report of a SEV-SNP guest, which the image is")};
  const auto measured =
      std::find_if(guest.digests.begin(), guest.digests.end(),
                   [&](const auto& one) { return one.digest == report->measurement; });
  const bool found = measured != guest.digests.end();
  std::vector<Check> out;
  out.push_back(found ? passed_check("quote-image", "the guest is the signed image")
                      : failed_check("quote-image", "the guest is NOT the signed image",
                                     "the guest that the image is"));
  out.push_back(found ? passed_check("quote-measurement", digests_text({*measured}))
                      : failed_check("quote-measurement", hex(report->measurement),
                                     digests_text(guest.digests)));
  out.push_back(report->policy.bits == guest.block.policy.bits
                    ? passed_check("quote-policy", hex_number(report->policy.bits))
                    : failed_check("quote-policy", hex_number(report->policy.bits),
                                   hex_number(guest.block.policy.bits)));
  if (!guest.id_key_digest) return out;
  out.push_back(report->guest_svn >= guest.block.guest_svn
                    ? passed_check("quote-guest-svn", cat(report->guest_svn))
                    : failed_check("quote-guest-svn", cat(report->guest_svn),
                                   cat(guest.block.guest_svn, " or higher: an older build runs")));
  out.push_back(equal_or("quote-id-key", report->id_key_digest, *guest.id_key_digest));
  return out;
}

}  // namespace cloister::sign
