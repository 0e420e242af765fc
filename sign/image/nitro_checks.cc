#include "sign/image/nitro_checks.h"

#include "base/text.h"
#include "sign/image/attested_claim.h"

namespace cloister::sign {
namespace {

std::string pcrs_text(const NitroMeasurement& m) {
  return cat("PCR0 ", hex(m.pcr0), ", PCR1 ", hex(m.pcr1), ", PCR2 ", hex(m.pcr2),
             m.pcr8 ? cat(", PCR8 ", hex(*m.pcr8)) : std::string());
}

// Registers are asked about by themselves.
Check enclave_files_check(const NitroEvidence& evidence) {
  if (!evidence.measured)
    return failed_check("guest-files", evidence.problem, "files that can be measured");
  NitroMeasurement measured = *evidence.measured;
  measured.pcr0 = evidence.stated.pcr0;
  measured.pcr1 = evidence.stated.pcr1;
  measured.pcr2 = evidence.stated.pcr2;
  measured.pcr8 = evidence.stated.pcr8;
  if (measured == evidence.stated)
    return passed_check("guest-files", cat(measured.files, " files are what the document lists"));
  return failed_check("guest-files", "the files are not what the measurement says",
                      "the files that were measured");
}

Check pcrs_check(const NitroEvidence& evidence) {
  const std::string stated = pcrs_text(evidence.stated);
  if (!evidence.measured)
    return failed_check("pcrs", "cannot be computed: " + evidence.problem, stated);
  const NitroMeasurement& m = *evidence.measured;
  const NitroMeasurement& s = evidence.stated;
  if (m.pcr0 == s.pcr0 && m.pcr1 == s.pcr1 && m.pcr2 == s.pcr2 && m.pcr8 == s.pcr8)
    return passed_check("pcrs", stated);
  return failed_check("pcrs", pcrs_text(m), stated);
}

// Against the file itself. Whose certificate it is, PCR8 says.
Check eif_signature_check(const NitroEvidence& evidence) {
  constexpr std::string_view kName = "eif-signature";
  const auto fail = [&](std::string found) {
    return failed_check(std::string(kName), std::move(found),
                        evidence.stated.pcr8 ? "PCR0, signed by the certificate in PCR8"
                                             : "a file that is not signed");
  };
  if (!evidence.measured) return fail("cannot be read: " + evidence.problem);
  if (!evidence.signature_problem.empty()) return fail(evidence.signature_problem);
  if (evidence.signature.has_value() != evidence.stated.pcr8.has_value())
    return fail(evidence.signature ? "a signature that is not spoken of" : "no signature");
  if (!evidence.signature)
    return passed_check(std::string(kName), "none: the hypervisor starts the file without");
  const Status checked = check_eif_signature(*evidence.signature, evidence.measured->pcr0);
  if (!checked.has_value()) return fail(checked.error().what());
  return passed_check(std::string(kName), cat("by the certificate ",
                                              quote(evidence.signature->certificate.common_name()),
                                              ", PCR8 ", hex(evidence.signature->pcr8())));
}

}  // namespace

std::vector<Check> check_nitro_evidence(const NitroEvidence& evidence) {
  return {enclave_files_check(evidence), pcrs_check(evidence), eif_signature_check(evidence)};
}

std::vector<Check> check_nitro_claim(const NitroEvidence& evidence, const NitroMeasurement& claim) {
  if (evidence.stated == claim)
    return {passed_check("attested-guest", "what the artifact says of itself")};
  return {failed_check("attested-guest", "the artifact says something else of itself",
                       pcrs_text(claim))};
}

NitroAttestation check_nitro_attestation(const Digest& image,
                                         const std::vector<DsseEnvelope>& envelopes,
                                         const ImagePublicKey& key, const Limits& limits) {
  auto found = find_claim<NitroMeasurement>(image, envelopes, key, limits, parse_nitro_measurement);
  if (found.claim) found.check = passed_check("attestation", pcrs_text(*found.claim));
  return {std::move(found.check), std::move(found.claim)};
}

std::vector<Check> check_quoted_nitro(const Quote& quote, const NitroMeasurement& measurement) {
  const auto* document = std::get_if<NitroDocument>(&quote);
  if (document == nullptr)
    return {failed_check("quote-image", cat("the quote is of ", tee_subject(tee_of(quote))),
                         "an attestation document of AWS Nitro, which the image is for")};
  std::vector<std::pair<std::uint8_t, measure::nitro::Pcr>> wanted = {
      {0, measurement.pcr0}, {1, measurement.pcr1}, {2, measurement.pcr2}};
  if (measurement.pcr8) wanted.emplace_back(8, *measurement.pcr8);
  std::string shown;
  bool same = true;
  for (const auto& [number, value] : wanted) {
    const auto found = document->pcrs.find(number);
    const bool there = found != document->pcrs.end();
    same = same && there && found->second == value;
    shown += cat(shown.empty() ? "" : ", ", "PCR", unsigned{number}, " ",
                 there ? hex(found->second) : "none");
  }
  if (same)
    return {passed_check("quote-image", "the enclave is the signed image"),
            passed_check("quote-pcrs", std::move(shown))};
  return {failed_check("quote-image", "the enclave is NOT the signed image",
                       "the enclave that the image is"),
          failed_check("quote-pcrs", std::move(shown), pcrs_text(measurement))};
}

}  // namespace cloister::sign
