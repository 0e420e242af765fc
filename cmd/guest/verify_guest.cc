#include "cmd/guest/verify_guest.h"

#include <functional>

#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/guest/guest_image.h"
#include "sign/image/guest_checks.h"

namespace cloister::cmd {
namespace {

// A check that was asked for and not made would pass for one that held.
Status check_guest_trust(const ImageTrustOptions& o) {
  const auto refuse = [](std::string_view option, std::string_view why) {
    return Error::unsupported(cat(option, " cannot be asked of a virtual machine: ", why))
        .hint("give --key with the signer's public key");
  };
  if (!o.policy.empty()) return refuse("--policy", "its rules are about enclaves of SGX");
  if (o.rebuild) return refuse("--rebuild", "it does not say how it was built");
  if (!o.mrsigner.empty()) return refuse("--mrsigner", "it has no SIGSTRUCT");
  if (o.isvprodid) return refuse("--isvprodid", "it has no SIGSTRUCT");
  if (o.min_isvsvn) return refuse("--min-isvsvn", "it has no SIGSTRUCT");
  return {};
}

// The attestation by the key, and what is asked of the artifact once its statement was read.
struct Questions {
  sign::Check attestation;
  std::function<Result<std::vector<sign::Check>>(const GuestImage&)> of_files;
};

Questions questions_of(Tee tee, Session& session, const oci::ImageRef& ref, const oci::Image& image,
                       const std::vector<sign::DsseEnvelope>& envelopes,
                       const sign::ImagePublicKey& key, const ImageTrustOptions& o) {
  const Digest& digest = image.manifest_descriptor.digest;
  const auto with_claim = [](std::vector<sign::Check> checks, std::vector<sign::Check> of_claim) {
    checks.insert(checks.end(), of_claim.begin(), of_claim.end());
    return checks;
  };
  using Checks = Result<std::vector<sign::Check>>;
  if (tee == Tee::nitro) {
    auto found = sign::check_nitro_attestation(digest, envelopes, key, session.limits());
    return {found.check, [=, &session, &ref, &image](const GuestImage& guest) -> Checks {
              CL_TRY(const auto evidence, nitro_evidence(session, ref, image, guest));
              auto checks = sign::check_nitro_evidence(evidence);
              if (!found.claim) return checks;
              return with_claim(std::move(checks), check_nitro_claim(evidence, *found.claim));
            }};
  }
  auto found = sign::check_guest_attestation(digest, envelopes, key, session.limits());
  return {found.check, [=, &session, &ref, &image, &o](const GuestImage& guest) -> Checks {
            CL_TRY(const auto evidence, snp_evidence(session, ref, image, guest));
            auto checks = sign::check_guest_evidence(evidence, {.allow_debug = o.allow_debug});
            if (!found.claim) return checks;
            return with_claim(std::move(checks), check_guest_claim(evidence, *found.claim));
          }};
}

}  // namespace

Result<ImageVerdict> verify_guest(Session& session, const oci::ImageRef& ref,
                                  const oci::Image& image, const ImageTrust& trust,
                                  const ImageTrustOptions& o) {
  CL_CHECK(check_guest_trust(o));
  const Digest& digest = image.manifest_descriptor.digest;
  ImageVerdict out{image.name, digest, {}, {}, {}};
  const auto add = [&](const std::vector<sign::Check>& checks) {
    out.checks.insert(out.checks.end(), checks.begin(), checks.end());
  };
  CL_TRY(const Tee tee, guest_tee(image));
  CL_TRY(const AttachedEvidence attached, read_attached(session, ref, digest));
  const auto envelopes = attached.envelopes();
  add({sign::check_signature(digest, attached.signatures, envelopes, *trust.key,
                             session.limits())});
  const Questions questions = questions_of(tee, session, ref, image, envelopes, *trust.key, o);
  add({questions.attestation});

  // What is wrong with the files is an answer, and no reason to give up.
  auto guest = read_guest_image(session, ref, image);
  if (!guest.has_value()) {
    if (guest.error().code() == Code::cancelled) return std::move(guest).error();
    add({sign::failed_check("guest-files", guest.error().what(),
                            "the files of a virtual machine, as cloister built it")});
    return out;
  }
  CL_TRY(const auto checks, questions.of_files(*guest));
  add(checks);
  out.guest = std::move(guest->stated);
  return out;
}

}  // namespace cloister::cmd
