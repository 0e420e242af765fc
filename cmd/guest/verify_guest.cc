#include "cmd/guest/verify_guest.h"

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

}  // namespace

Result<ImageVerdict> verify_guest(Session& session, const oci::ImageRef& ref,
                                  const oci::Image& image, const ImageTrust& trust,
                                  const ImageTrustOptions& o) {
  CL_CHECK(check_guest_trust(o));
  const Limits& limits = session.limits();
  const Digest& digest = image.manifest_descriptor.digest;
  ImageVerdict out{image.name, digest, {}, {}, {}};
  const auto add = [&](const std::vector<sign::Check>& checks) {
    out.checks.insert(out.checks.end(), checks.begin(), checks.end());
  };
  CL_TRY(const AttachedEvidence attached, read_attached(session, ref, digest));
  const auto envelopes = attached.envelopes();
  add({sign::check_signature(digest, attached.signatures, envelopes, *trust.key, limits)});
  const sign::GuestAttestation attestation =
      sign::check_guest_attestation(digest, envelopes, *trust.key, limits);
  add({attestation.check});

  // What is wrong with the files is an answer, and no reason to give up.
  auto guest = read_guest_image(session, ref, image);
  if (!guest.has_value()) {
    if (guest.error().code() == Code::cancelled) return std::move(guest).error();
    add({sign::failed_check("guest-files", guest.error().what(),
                            "the files of a virtual machine, as cloister built it")});
    return out;
  }
  CL_TRY(const sign::GuestEvidence evidence, guest_evidence(session, ref, image, *guest));
  add(sign::check_guest_evidence(evidence, {.allow_debug = o.allow_debug}));
  if (attestation.claim) add(sign::check_guest_claim(evidence, *attestation.claim));
  out.guest = evidence.stated;
  return out;
}

}  // namespace cloister::cmd
