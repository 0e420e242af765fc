// A verifier says everything that is wrong, not the first thing: each check stands alone, and the
// caller decides by all of them.
#include "sign/image/checks.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "sign/image/attested_claim.h"
#include "sign/image/dsse.h"
#include "sign/image/provenance.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kNamedFiles = 5;  // of many that differ, so many are named

Check compared(std::string name, const std::string& found, const std::string& expected) {
  return found == expected ? passed_check(std::move(name), found)
                           : failed_check(std::move(name), found, expected);
}

std::string runtime_text(std::string_view name, std::string_view version,
                         const std::vector<NamedDigest>& files) {
  std::string out = cat(printable(name), " ", printable(version));
  for (const NamedDigest& file : files)
    out += cat(", ", printable(file.name), " ", file.sha256.hex());
  return out;
}

std::string base_text(std::string_view uri, const Digest& digest) {
  return cat(printable(uri), uri.empty() ? "" : " ", digest.str());
}

std::string file_list(std::uint64_t count, const Digest& digest) {
  return cat(count, " files, ", digest.hex());
}

}  // namespace

std::string key_name(const ImagePublicKey& key) {
  return cat(image_key_kind_name(key.kind()), " key ", key.fingerprint().hex().substr(0, 16));
}

Check passed_check(std::string name, std::string found) {
  return {std::move(name), true, std::move(found), ""};
}

Check failed_check(std::string name, std::string found, std::string expected) {
  return {std::move(name), false, std::move(found), std::move(expected)};
}

bool all_passed(const std::vector<Check>& checks) {
  return !checks.empty() &&
         std::all_of(checks.begin(), checks.end(), [](const Check& c) { return c.passed; });
}

std::optional<Statement> statement_by(const DsseEnvelope& envelope, const ImagePublicKey& key,
                                      const Limits& limits) {
  if (envelope.payload_type != kInTotoPayloadType || !verify_dsse(envelope, key))
    return std::nullopt;
  auto statement = parse_statement(envelope.payload, limits);
  if (!statement.has_value()) return std::nullopt;
  return std::move(*statement);
}

// What this key signed about other images may have been copied here by anyone: it is passed over
// like a stranger's, and only named when nothing better is found.
Check check_signature(const Digest& image, const std::vector<SignatureArtefact>& artefacts,
                      const std::vector<DsseEnvelope>& envelopes, const ImagePublicKey& key,
                      const Limits& limits) {
  std::size_t of_others = 0;
  std::string misplaced;
  for (const SignatureArtefact& artefact : artefacts) {
    if (!key.verify(as_bytes(artefact.payload), artefact.signature)) {
      ++of_others;
      continue;
    }
    const auto claim = parse_simple_signing(artefact.payload, limits);
    if (claim.has_value() && claim->manifest_digest == image)
      return passed_check("signature", cat("by the ", key_name(key)));
    misplaced = claim.has_value() ? cat("a signature of ", claim->manifest_digest.str())
                                  : claim.error().what();
  }
  for (const DsseEnvelope& envelope : envelopes) {
    const auto statement = statement_by(envelope, key, limits);
    if (!statement || statement->predicate_type != kCosignSignPredicate) continue;
    if (statement->is_about(image)) return passed_check("signature", cat("by the ", key_name(key)));
    misplaced = "a signature of another image";
  }
  if (!misplaced.empty()) return failed_check("signature", std::move(misplaced), image.str());
  return failed_check("signature",
                      of_others == 0 ? std::string("the image is not signed")
                                     : cat("only signatures by other keys: ", of_others),
                      cat("a signature by the ", key_name(key)));
}

AttestationResult check_attestation(const Digest& image, const std::vector<DsseEnvelope>& envelopes,
                                    const ImagePublicKey& key, const Limits& limits) {
  auto found = find_claim<MeasurementClaim>(image, envelopes, key, limits, parse_measurement);
  if (found.claim)
    found.check = passed_check("attestation", cat("mrenclave ", found.claim->mrenclave.hex()));
  return {std::move(found.check), std::move(found.claim)};
}

std::optional<Check> check_provenance(const Digest& image, std::string_view of_image,
                                      const std::vector<DsseEnvelope>& envelopes,
                                      const ImagePublicKey& key, const Limits& limits) {
  std::optional<Check> out;
  const auto said = parse_json(of_image, limits, "provenance of the image");
  for (const DsseEnvelope& envelope : envelopes) {
    const auto statement = statement_by(envelope, key, limits);
    if (!statement || statement->predicate_type != kProvenancePredicate ||
        !statement->is_about(image) || !parse_provenance(statement->predicate, limits).has_value())
      continue;
    if (said.has_value() && statement->predicate == dump_json(*said)) {
      if (!out) out = passed_check("provenance", "is what the image says");
    } else {
      out = failed_check("provenance", "says something else than the image", "one answer");
    }
  }
  return out;
}

std::vector<Check> check_pins(std::string_view prefix, const Sigstruct& sigstruct,
                              const EnclavePins& pins) {
  std::vector<Check> out;
  const auto add = [&](std::string_view name, bool holds, const std::string& found,
                       std::string want) {
    std::string whole = cat(prefix, name);
    out.push_back(holds ? passed_check(std::move(whole), found)
                        : failed_check(std::move(whole), found, std::move(want)));
  };
  if (!pins.mrsigners.empty()) {
    const Digest mrsigner = sigstruct.mrsigner();
    std::vector<std::string> want;
    for (const Digest& digest : pins.mrsigners) want.push_back(digest.hex());
    const bool known =
        std::find(pins.mrsigners.begin(), pins.mrsigners.end(), mrsigner) != pins.mrsigners.end();
    add("mrsigner", known, mrsigner.hex(), join(want, " or "));
  }
  if (pins.isvprodid)
    add("isvprodid", sigstruct.isvprodid == *pins.isvprodid, cat(sigstruct.isvprodid),
        cat(*pins.isvprodid));
  if (pins.min_isvsvn)
    add("isvsvn", sigstruct.isvsvn >= *pins.min_isvsvn, cat(sigstruct.isvsvn),
        cat("at least ", *pins.min_isvsvn));
  return out;
}

std::vector<Check> check_enclave_evidence(const EnclaveEvidence& e, const EnclavePins& pins) {
  std::vector<Check> out;
  out.push_back(e.starts_loader ? passed_check("entrypoint", "starts the enclave's loader")
                                : failed_check("entrypoint", "starts something else",
                                               "the enclave's loader with this manifest"));
  if (e.differing.empty()) {
    out.push_back(
        passed_check("trusted-files", cat(e.trusted.size(), " files are what the manifest says")));
  } else {
    std::vector<std::string> named;
    for (std::size_t i = 0; i < e.differing.size() && i < kNamedFiles; ++i)
      named.push_back(quote(e.differing[i]));
    std::string found = cat("not the measured file: ", join(named, ", "));
    if (e.differing.size() > named.size())
      found += cat(" and ", e.differing.size() - named.size(), " more");
    out.push_back(
        failed_check("trusted-files", std::move(found), "the files that the manifest names"));
  }
  const auto sigstruct = check_sigstruct(e.sigstruct);
  out.push_back(sigstruct.has_value()
                    ? passed_check("sigstruct", "RSA signature, q1 and q2 are right")
                    : failed_check("sigstruct", sigstruct.error().what(), "a valid SIGSTRUCT"));
  if (e.mrenclave)
    out.push_back(compared("mrenclave", e.sigstruct.mrenclave.hex(), e.mrenclave->hex()));
  else
    out.push_back(
        failed_check("mrenclave", e.mrenclave_problem, "an enclave that can be measured"));

  for (Check& check : check_pins("", e.sigstruct, pins)) out.push_back(std::move(check));
  if (!e.sigstruct.debug())
    out.push_back(passed_check("debug", "no"));
  else if (pins.allow_debug)
    out.push_back(passed_check("debug", "yes, and --allow-debug was given"));
  else
    out.push_back(
        failed_check("debug", "the host can read a debug enclave", "a production enclave"));
  return out;
}

std::vector<Check> check_claim(const EnclaveEvidence& e, const MeasurementClaim& claim) {
  std::vector<Check> out;
  const Sigstruct& s = e.sigstruct;
  out.push_back(compared("attested-mrenclave", s.mrenclave.hex(), claim.mrenclave.hex()));
  out.push_back(compared("attested-mrsigner", s.mrsigner().hex(), claim.mrsigner.hex()));
  out.push_back(
      compared("attested-sigstruct", e.sigstruct_digest.hex(), claim.sigstruct_digest.hex()));
  out.push_back(
      compared("attested-manifest", e.manifest_digest.hex(), claim.manifest_digest.hex()));
  out.push_back(compared("attested-trusted-files",
                         file_list(e.trusted.size(), trusted_files_digest(e.trusted)),
                         file_list(claim.trusted_files, claim.trusted_digest)));
  out.push_back(
      compared("attested-runtime", runtime_text(e.runtime_name, e.runtime_version, e.runtime_files),
               runtime_text(claim.runtime_name, claim.runtime_version, claim.runtime_files)));
  out.push_back(compared("attested-base", base_text(e.base_uri, e.base_digest),
                         base_text(claim.base_uri, claim.base_digest)));
  out.push_back(compared("attested-version",
                         cat(s.isvprodid, "/", s.isvsvn, s.debug() ? " debug" : ""),
                         cat(claim.isvprodid, "/", claim.isvsvn, claim.debug ? " debug" : "")));
  return out;
}

}  // namespace cloister::sign
