// Every check is made and kept, whatever the others say.
#include "cmd/verify_image.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/audit_subject.h"
#include "cmd/build_date.h"
#include "cmd/enclave_image.h"
#include "cmd/guest/guest_files.h"
#include "cmd/guest/verify_guest.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

Result<sign::EnclavePins> pins_of(const ImageTrustOptions& o) {
  sign::EnclavePins pins;
  pins.isvprodid = o.isvprodid;
  pins.min_isvsvn = o.min_isvsvn;
  pins.allow_debug = o.allow_debug;
  if (!o.mrsigner.empty()) {
    auto digest = Digest::parse_hex(lower_ascii(o.mrsigner));
    if (!digest.has_value())
      return Error::usage(cat("--mrsigner ", quote(o.mrsigner), " is not 64 hex digits"))
          .hint("cloister inspect shows the value of an image");
    pins.mrsigners = {*digest};
  }
  return pins;
}

// All that is known about the image, gathered once; the enclave's part may be missing, with a
// reason: what is wrong with the bytes is an answer here, not a reason to give up.
struct Subject {
  const oci::Image& image;
  AttachedEvidence attached, of_index;
  std::vector<sign::DsseEnvelope> envelopes;  // of `attached`
  std::optional<EnclaveImage> enclave;
  std::optional<sign::EnclaveEvidence> evidence;
  std::vector<manifest::Finding> findings;  // where a policy asks for them
  std::string problem;
};

Status read_evidence(const LoadedImage& loaded, const Limits& limits, Subject& subject) {
  if (!is_enclave_ready(loaded.image)) return Error::policy("the image is not enclave-ready");
  CL_TRY(subject.enclave, read_enclave(*loaded.rootfs, loaded.image, limits));
  CL_TRY(subject.evidence, enclave_evidence(loaded, *subject.enclave, limits));
  return {};
}

Result<Subject> gather(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                       const ImageTrust& trust) {
  Subject out{image, {}, {}, {}, {}, {}, {}, ""};
  CL_TRY(out.attached, read_attached(session, ref, image.manifest_descriptor.digest));
  out.envelopes = out.attached.envelopes();
  if (image.index_digest) {
    CL_TRY(out.of_index, read_attached(session, ref, *image.index_digest));
  }
  // The digests of all layers, and of what is in them, are checked on the way.
  CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
  auto done = read_evidence(loaded, session.limits(), out);
  if (!done.has_value()) {
    if (done.error().code() == Code::cancelled) return std::move(done).error();
    out.problem = done.error().what();
  }
  if (out.enclave && trust.policy && trust.policy->findings.fail_on) {
    CL_TRY(TomlTable table,
           parse_toml(as_text(out.enclave->manifest), session.limits(), "the enclave manifest"));
    CL_TRY(out.findings,
           enclave_findings({std::move(table)}, loaded,
                            manifest::PackageIndex::read(*loaded.rootfs, session.limits()),
                            session.limits()));
    manifest::apply_policy(trust.policy->findings, date_of(trust.at), out.findings);
  }
  return out;
}

// The worst finding that is not accepted, against what the policy stands.
sign::Check findings_check(manifest::Severity fail_on,
                           const std::vector<manifest::Finding>& findings) {
  const auto worst = manifest::worst_of(findings);
  std::string found = worst ? std::string(manifest::severity_name(*worst)) : "none";
  if (worst)
    for (const manifest::Finding& finding : findings)
      if (!finding.accepted && finding.severity == *worst) {
        found += cat(" (", finding.id, " ", finding.where, ")");
        break;
      }
  return {"policy-findings", !worst || *worst < fail_on, std::move(found),
          cat("nothing from ", manifest::severity_name(fail_on), " up")};
}

// Of the digest behind the name, or of the index it was chosen from: a signature of either is one
// of the image, as the index names the image by digest.
sign::Check signature_check(const Subject& subject, const sign::ImagePublicKey& key,
                            const Limits& limits) {
  sign::Check check =
      sign::check_signature(subject.image.manifest_descriptor.digest, subject.attached.signatures,
                            subject.envelopes, key, limits);
  if (check.passed || !subject.image.index_digest) return check;
  sign::Check second =
      sign::check_signature(*subject.image.index_digest, subject.of_index.signatures,
                            subject.of_index.envelopes(), key, limits);
  return second.passed ? second : check;
}

// Whoever reads "not signed" should know that not all was seen.
void add_unread(const Subject& subject, bool offline, sign::Check& check) {
  const std::size_t unread = subject.attached.unread + subject.of_index.unread;
  if (check.passed) return;
  if (unread > 0)
    check.found += cat("; ", unread, " attached artefacts could not be read, or are too many");
  if (offline) check.found += "; --offline sees only what the store or the file holds";
}

// What one key says about the image.
struct KeyVerdict {
  sign::Check signature, attestation;
  std::vector<sign::Check> details;  // of the attestation, against the image
  bool holds() const {
    return signature.passed && attestation.passed &&
           std::all_of(details.begin(), details.end(), [](const auto& c) { return c.passed; });
  }
};

KeyVerdict verdict_of(const Subject& subject, const sign::ImagePublicKey& key,
                      const Limits& limits) {
  const Digest& digest = subject.image.manifest_descriptor.digest;
  const auto& envelopes = subject.envelopes;
  KeyVerdict out{signature_check(subject, key, limits), {}, {}};
  sign::AttestationResult attestation = sign::check_attestation(digest, envelopes, key, limits);
  out.attestation = std::move(attestation.check);
  if (subject.evidence && attestation.claim)
    out.details = sign::check_claim(*subject.evidence, *attestation.claim);
  if (subject.enclave)
    if (auto check =
            sign::check_provenance(digest, subject.enclave->provenance, envelopes, key, limits))
      out.details.push_back(std::move(*check));
  return out;
}

// The verdict that is shown in full, and the rule of the policy about all of its signers.
struct Signers {
  KeyVerdict shown;
  std::optional<sign::Check> rule;
};

Signers check_signers(const Subject& subject, const std::optional<sign::ImagePublicKey>& key,
                      const std::optional<LoadedPolicy>& policy, const Limits& limits) {
  Signers out;
  if (key) out.shown = verdict_of(subject, *key, limits);
  if (!policy) return out;
  std::vector<std::string> holding;
  bool shown = key.has_value();
  for (const sign::PolicyKey& signer : policy->signers) {
    KeyVerdict verdict = verdict_of(subject, signer.key, limits);
    const bool holds = verdict.holds();
    if (!shown && (holds || &signer == &policy->signers.front())) out.shown = std::move(verdict);
    if (!holds) continue;
    shown = true;
    holding.push_back(signer.name);
  }
  out.rule = sign::check_threshold("policy-signers", policy->policy.signers, holding,
                                   " that signed the image and attest what it is");
  return out;
}

// Only an image that its signer stands behind may say from where its inputs are fetched.
Result<std::vector<sign::Check>> rebuild_checks(Session& session, const Subject& subject,
                                                bool is_signed, const RebuildSources& sources) {
  const auto failed = [](std::string found) {
    return std::vector<sign::Check>{
        {"rebuild", false, std::move(found), "a build that can be repeated"}};
  };
  if (!is_signed) return failed("not tried: the image is not signed as asked for");
  if (!subject.enclave) return failed(subject.problem);
  auto rebuilt = rebuild(session, subject.image, *subject.enclave, sources);
  if (rebuilt.has_value()) return std::move(rebuilt->checks);
  if (rebuilt.error().code() == Code::cancelled) return std::move(rebuilt).error();
  std::string found = cat("cannot be repeated: ", rebuilt.error().what());
  if (!rebuilt.error().hint().empty()) found += cat(" (", rebuilt.error().hint(), ")");
  return failed(std::move(found));
}

}  // namespace

void add_trust_options(CLI::App& app, ImageTrustOptions& options) {
  OptionHeading heading(app, kHeadingTrust);
  app.add_option("--key", options.key,
                 "Public key, or certificate, of who signed it (PEM file or env://VARIABLE)")
      ->type_name("KEY");
  app.add_option("--policy", options.policy,
                 "TOML file that says what may run: signers, rebuilders, versions, origins, "
                 "platforms")
      ->type_name("FILE");
  app.add_option("--at", options.at,
                 "Time for which the answer is wanted: YYYY-MM-DD or RFC 3339 (default: now)")
      ->type_name("TIME");
  app.add_flag("--rebuild", options.rebuild,
               "Repeat the build from what the image says, and compare bit for bit");
  add_rebuild_options(app, options.sources);
  app.add_option("--mrsigner", options.mrsigner,
                 "MRSIGNER that the enclave must have (64 hex digits)")
      ->type_name("HEX");
  app.add_option("--isvprodid", options.isvprodid, "ISVPRODID that the enclave must have");
  app.add_option("--min-isvsvn", options.min_isvsvn,
                 "Lowest ISVSVN to accept: refuses older builds");
  app.add_flag("--allow-debug", options.allow_debug, "Accept a debug enclave, which hides nothing")
      ->excludes("--policy");
}

Result<ImageTrust> load_trust(Session& session, const ImageTrustOptions& o) {
  if (o.key.empty() && o.policy.empty())
    return Error::usage("cloister has to know whose word counts")
        .hint("give --key with the signer's public key, or --policy FILE");
  if (!o.rebuild && (!o.sources.base.empty() || !o.sources.runtimes.empty()))
    return Error::usage("--base and --runtime say where a rebuild finds its inputs")
        .hint("add --rebuild");
  ImageTrust out;
  CL_TRY(out.pins, pins_of(o));
  out.at = session.env().now;
  if (!o.at.empty()) {
    CL_TRY(out.at, build_date(o.at, session.env(), std::nullopt));
  }
  if (!o.key.empty()) {
    CL_TRY(out.key, load_public_key(o.key, session.key_context()));
  }
  if (!o.policy.empty()) {
    CL_TRY(out.policy, load_policy(o.policy, session.key_context()));
    out.pins.allow_debug = out.policy->policy.sgx.allow_debug;
  }
  return out;
}

Result<ImageVerdict> verify_image(Session& session, const oci::ImageRef& ref,
                                  const ImageTrust& trust, const ImageTrustOptions& o) {
  const Limits& limits = session.limits();
  // Resolved once: everything after is about this digest.
  CL_TRY(const oci::Image image, session.resolve(ref));
  if (is_guest(image.manifest)) return verify_guest(session, ref, image, trust, o);
  CL_TRY(const Subject subject, gather(session, ref, image, trust));
  Signers signers = check_signers(subject, trust.key, trust.policy, limits);
  add_unread(subject, session.offline(), signers.shown.signature);
  const bool is_signed = signers.rule ? signers.rule->passed : signers.shown.holds();

  ImageVerdict out{image.name, image.manifest_descriptor.digest, {}, {}, {}};
  if (subject.enclave) out.sigstruct = subject.enclave->sigstruct;
  const auto add = [&](const std::vector<sign::Check>& checks) {
    out.checks.insert(out.checks.end(), checks.begin(), checks.end());
  };
  add({signers.shown.signature, signers.shown.attestation});
  if (subject.evidence)
    add(sign::check_enclave_evidence(*subject.evidence, trust.pins));
  else
    add({{"enclave", false, subject.problem, "an enclave-ready image, as cloister built it"}});
  add(signers.shown.details);
  if (o.rebuild) {
    CL_TRY(const auto checks, rebuild_checks(session, subject, is_signed, o.sources));
    add(checks);
  }
  if (trust.policy) {
    add({*signers.rule});
    add(policy_checks(*trust.policy, image, subject.enclave ? &*subject.enclave : nullptr,
                      subject.attached, trust.at, limits));
    if (const auto fail_on = trust.policy->findings.fail_on; fail_on && subject.enclave)
      add({findings_check(*fail_on, subject.findings)});
  }
  return out;
}

Status require_quoting_server(const ImageVerdict& verdict) {
  if (!verdict.guest || tee_of(*verdict.guest) != Tee::nitro) return {};
  return Error::unsupported("an enclave of AWS Nitro shows no quote in a TLS certificate")
      .detail(cat(quote(verdict.name), " is one"))
      .hint("ask it for an attestation document, and give that to cloister verify --quote");
}

}  // namespace cloister::cmd
