// Every check is made and shown, whatever the others say; exit 3 when one failed.
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/command.h"
#include "cmd/enclave_image.h"
#include "cmd/exit_code.h"
#include "cmd/key_source.h"
#include "cmd/output.h"
#include "cmd/report/verify.h"
#include "cmd/session.h"
#include "sign/image/checks.h"

namespace cloister::cmd {
namespace {

struct VerifyOptions {
  CommonOptions common;
  std::string image, key, mrsigner, format = "text";
  std::optional<std::uint16_t> isvprodid, min_isvsvn;
  bool allow_debug = false;
};

Result<sign::EnclavePins> pins_of(const VerifyOptions& o) {
  sign::EnclavePins pins;
  pins.isvprodid = o.isvprodid;
  pins.min_isvsvn = o.min_isvsvn;
  pins.allow_debug = o.allow_debug;
  if (!o.mrsigner.empty()) {
    auto digest = Digest::parse_hex(lower_ascii(o.mrsigner));
    if (!digest.has_value())
      return Error::usage(cat("--mrsigner ", quote(o.mrsigner), " is not 64 hex digits"))
          .hint("cloister inspect shows the value of an image");
    pins.mrsigner = *digest;
  }
  return pins;
}

// The digest behind the name, and the index it was chosen from: a signature of either is one of the
// image, as the index names the image by digest.
Result<sign::Check> signature_check(Session& session, const oci::ImageRef& ref,
                                    const oci::Image& image, const AttachedEvidence& own,
                                    const sign::ImagePublicKey& key) {
  sign::Check check = sign::check_signature(image.manifest_descriptor.digest, own.signatures,
                                            own.envelopes(), key, session.limits());
  if (check.passed || !image.index_digest) return check;
  CL_TRY(const AttachedEvidence of_index, read_attached(session, ref, *image.index_digest));
  sign::Check second = sign::check_signature(*image.index_digest, of_index.signatures,
                                             of_index.envelopes(), key, session.limits());
  return second.passed ? second : check;
}

// What is wrong with the bytes is an answer here, not a reason to give up.
Result<sign::EnclaveEvidence> evidence_of(const LoadedImage& loaded, const Limits& limits) {
  if (!is_enclave_ready(loaded.image)) return Error::policy("the image is not enclave-ready");
  CL_TRY(const EnclaveImage enclave, read_enclave(*loaded.rootfs, loaded.image, limits));
  return enclave_evidence(loaded, enclave, limits);
}

Result<int> run_verify(const VerifyOptions& o, const Environment& env) {
  CL_TRY(const sign::EnclavePins pins, pins_of(o));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const auto key, load_public_key(o.key, session->key_context()));

  // Resolved once: everything after is about this digest.
  CL_TRY(const oci::Image image, session->resolve(ref));
  const Digest digest = image.manifest_descriptor.digest;
  VerifyReport report{image.name, digest, {}};
  CL_TRY(const AttachedEvidence attached, read_attached(*session, ref, digest));
  CL_TRY(sign::Check signature, signature_check(*session, ref, image, attached, key));
  report.checks.push_back(std::move(signature));
  sign::AttestationResult attestation =
      sign::check_attestation(digest, attached.envelopes(), key, session->limits());
  report.checks.push_back(attestation.check);

  // The digests of all layers, and of what is in them, are checked on the way.
  CL_TRY(const LoadedImage loaded, session->load_layers(ref, image));
  const auto evidence = evidence_of(loaded, session->limits());
  if (evidence.has_value()) {
    for (sign::Check& check : sign::check_enclave_evidence(*evidence, pins))
      report.checks.push_back(std::move(check));
    if (attestation.claim)
      for (sign::Check& check : sign::check_claim(*evidence, *attestation.claim))
        report.checks.push_back(std::move(check));
  } else {
    report.checks.push_back({"enclave", false, evidence.error().what(),
                             "an enclave-ready image, as cloister built it"});
  }
  CL_CHECK(write_result("", o.format == "json" ? verify_json(report) : verify_text(report)));
  return report.verified() ? 0 : kExitPolicy;
}

}  // namespace

Action add_verify(CLI::App& app) {
  auto o = std::make_shared<VerifyOptions>();
  app.add_option("IMAGE", o->image, "Image to verify")->required();
  app.add_option("--key", o->key,
                 "Public key, or certificate, of who signed it (PEM file or env://VARIABLE)")
      ->required();
  app.add_option("--mrsigner", o->mrsigner, "MRSIGNER that the enclave must have (64 hex digits)");
  app.add_option("--isvprodid", o->isvprodid, "ISVPRODID that the enclave must have");
  app.add_option("--min-isvsvn", o->min_isvsvn, "Lowest ISVSVN to accept: refuses older builds");
  app.add_flag("--allow-debug", o->allow_debug, "Accept a debug enclave, which hides nothing");
  app.add_option("--format", o->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_verify(*o, env); };
}

}  // namespace cloister::cmd
