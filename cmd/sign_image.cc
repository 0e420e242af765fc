#include "cmd/sign_image.h"

#include <algorithm>

#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/enclave_image.h"
#include "cmd/guest/guest_image.h"
#include "cmd/option_heading.h"
#include "oci/documents/attached.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"

namespace cloister::cmd {
namespace {

constexpr const char* kPredicateAnnotation = "predicateType";

Artefact artefact(std::string_view media_type, std::string text) {
  oci::Descriptor descriptor = oci::describe(media_type, text);
  return {std::move(descriptor), std::move(text)};
}

// "host/repository:tag"; a digest reference has no tag, a layout only its own name for the image.
std::string default_identity(const oci::ImageRef& ref) {
  if (ref.transport != oci::Transport::registry) return ref.tag;
  const std::string name = ref.registry.name();
  return ref.registry.tag.empty() ? name : cat(name, ":", ref.registry.tag);
}

// The texts that are said about one manifest.
std::string payload_about(const Digest& image, const oci::ImageRef& ref,
                          const ImageClaims& claims) {
  return sign::encode_simple_signing(
      {claims.identity.empty() ? default_identity(ref) : claims.identity, image});
}

std::string signature_about(const Digest& image) {
  return sign::encode_statement("", image, sign::kCosignSignPredicate, "{}");
}

std::string statement_about(const Digest& image, const oci::ImageRef& ref,
                            const Predicate& predicate) {
  const std::string name =
      ref.transport == oci::Transport::registry ? ref.registry.name() : std::string();
  return sign::encode_statement(name, image, predicate.type, predicate.text);
}

// ECDSA signatures differ each time: what counts is whether this key has signed these bytes.
bool is_signed(const AttachedEvidence& there, const std::string& payload,
               const sign::ImagePublicKey& key) {
  return std::any_of(there.signatures.begin(), there.signatures.end(),
                     [&](const sign::SignatureArtefact& a) {
                       return a.payload == payload && key.verify(as_bytes(payload), a.signature);
                     });
}

bool is_stated(const std::vector<sign::DsseEnvelope>& there, const std::string& statement,
               const sign::ImagePublicKey& key) {
  return std::any_of(there.begin(), there.end(), [&](const sign::DsseEnvelope& envelope) {
    return envelope.payload == statement && sign::verify_dsse(envelope, key);
  });
}

// Says about one manifest what is to be said, in the forms that are wanted; what this key has said
// already is not said again.
class Signer {
 public:
  Signer(Session& session, const oci::ImageRef& ref, const SignImageOptions& options)
      : session_(session), ref_(ref), options_(options) {}

  Status sign(const oci::RawManifest& image, const std::vector<Predicate>& predicates) {
    const Digest& digest = image.descriptor.digest;
    const sign::ImagePublicKey& key = options_.key.public_key();
    CL_TRY(const AttachedEvidence there, read_attached(session_, ref_, digest));
    const std::string signature = signature_about(digest);
    if (options_.claims.forms.legacy) CL_CHECK(add_signature(digest, there));
    if (options_.claims.forms.bundle && !is_stated(there.bundles, signature, key))
      CL_CHECK(add_bundle(image, signature, sign::kCosignSignPredicate));
    for (const Predicate& predicate : predicates) CL_CHECK(state(image, predicate, there));
    return {};
  }

  // Without a signature of the image: this key does not stand behind it.
  Status attest(const oci::RawManifest& image, const Predicate& predicate) {
    CL_TRY(const AttachedEvidence there, read_attached(session_, ref_, image.descriptor.digest));
    return state(image, predicate, there);
  }

 private:
  Status state(const oci::RawManifest& image, const Predicate& predicate,
               const AttachedEvidence& there) {
    const sign::ImagePublicKey& key = options_.key.public_key();
    const Digest& digest = image.descriptor.digest;
    const std::string statement = statement_about(digest, ref_, predicate);
    if (options_.claims.forms.legacy && !is_stated(there.attestations, statement, key))
      CL_CHECK(add_attestation(digest, statement, predicate.type));
    if (options_.claims.forms.bundle && !is_stated(there.bundles, statement, key))
      CL_CHECK(add_bundle(image, statement, predicate.type));
    return {};
  }

  Status add_signature(const Digest& image, const AttachedEvidence& there) {
    const std::string payload = payload_about(image, ref_, options_.claims);
    if (is_signed(there, payload, options_.key.public_key())) return {};
    CL_TRY(const Bytes signature, options_.key.sign(as_bytes(payload)));
    Artefact out = artefact(kSimpleSigningMediaType, payload);
    out.descriptor.annotations[kSignatureAnnotation] = base64(signature);
    return attach_under_tag(session_, ref_, image, oci::kSignatureSuffix, out);
  }

  Status add_attestation(const Digest& image, const std::string& statement,
                         std::string_view predicate_type) {
    CL_TRY(std::string envelope, signed_statement(statement));
    Artefact out = artefact(kDsseMediaType, std::move(envelope));
    out.descriptor.annotations[kSignatureAnnotation] = "";  // cosign wants the key, not a value
    out.descriptor.annotations[kPredicateAnnotation] = std::string(predicate_type);
    return attach_under_tag(session_, ref_, image, oci::kAttestationSuffix, out);
  }

  Status add_bundle(const oci::RawManifest& image, const std::string& statement,
                    std::string_view predicate_type) {
    CL_TRY(const std::string envelope, signed_statement(statement));
    return attach_bundle(session_, ref_, image,
                         sign::encode_bundle(envelope, options_.key.public_key()), predicate_type);
  }

  Result<std::string> signed_statement(const std::string& statement) const {
    return sign::sign_dsse(sign::kInTotoPayloadType, statement, options_.key);
  }

  Session& session_;
  const oci::ImageRef& ref_;
  const SignImageOptions& options_;
};

// Under the image's name, and under that of the index that it was chosen from: who resolves the tag
// sees the index.
Result<std::vector<oci::RawManifest>> subjects_of(Session& session, const oci::ImageRef& ref,
                                                  const oci::Image& image) {
  std::vector<oci::RawManifest> out = {{image.manifest_descriptor, image.manifest_text}};
  if (!image.index_digest) return out;
  CL_TRY(oci::ImageTransport * from, session.transport(ref));
  CL_TRY(oci::RawManifest index, from->root());
  if (index.descriptor.digest == *image.index_digest) out.push_back(std::move(index));
  return out;
}

}  // namespace

Status require_signable(const oci::ImageRef& ref) {
  if (ref.transport == oci::Transport::registry || ref.transport == oci::Transport::layout)
    return {};
  return Error::usage("only an image in a registry or a layout can be signed")
      .detail("nothing can be added to an archive, or to what a daemon holds")
      .hint("copy it to a registry or a layout with cloister push, and sign it there");
}

void add_signature_format_option(CLI::App& app, std::string& format) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--sig-format", format,
                 "legacy (.sig and .att tags), bundle (Sigstore bundles) or both")
      ->check(CLI::IsMember({"both", "legacy", "bundle"}))
      ->capture_default_str();
}

SignatureForms signature_forms(const std::string& name) {
  return {name != "bundle", name != "legacy"};
}

namespace {

// What is said, and about what.
struct Saying {
  Digest digest;  // of the image
  std::vector<oci::RawManifest> subjects;
  std::vector<Predicate> predicates;
};

Result<Saying> saying_of(Session& session, const oci::ImageRef& ref, const ImageClaims& claims) {
  CL_CHECK(require_signable(ref));
  CL_TRY(const oci::Image image, session.resolve(ref));
  Saying out{image.manifest_descriptor.digest, {}, {}};
  CL_TRY(out.subjects, subjects_of(session, ref, image));
  if (is_enclave_ready(image)) {
    CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
    CL_TRY(const EnclaveImage enclave, read_enclave(*loaded.rootfs, image, session.limits()));
    CL_TRY(out.predicates, enclave_predicates(loaded, enclave, claims.sbom, session.limits()));
  } else if (is_guest(image.manifest)) {
    CL_TRY(out.predicates, guest_predicates(session, ref, image));
  } else if (claims.sbom != SbomFormat::none) {
    return Error::usage(
               "--sbom lists what an enclave may touch, and the image is not enclave-ready")
        .hint("cloister deps --format spdx writes one for any image");
  }
  return out;
}

sign::SigningItem dsse_item(const Digest& subject, std::string_view predicate_type,
                            const std::string& statement) {
  return {true, subject, std::string(predicate_type),
          sign::pre_authentication_encoding(sign::kInTotoPayloadType, statement), std::nullopt};
}

}  // namespace

Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options) {
  CL_TRY(const Saying saying, saying_of(session, ref, options.claims));
  Signer signer(session, ref, options);
  for (const oci::RawManifest& subject : saying.subjects) {
    auto done = signer.sign(subject, saying.predicates);
    if (!done.has_value()) return std::move(done).error().while_(cat("signing ", quote(ref.str())));
  }
  return SignedImage{saying.digest, !saying.predicates.empty()};
}

Result<sign::SigningData> image_signing_data(Session& session, const oci::ImageRef& ref,
                                             const ImageClaims& claims) {
  CL_TRY(const Saying saying, saying_of(session, ref, claims));
  sign::SigningData out{ref.str(), {}};
  for (const oci::RawManifest& manifest : saying.subjects) {
    const Digest& subject = manifest.descriptor.digest;
    if (claims.forms.legacy)
      out.add({false, subject, "", payload_about(subject, ref, claims), std::nullopt});
    if (claims.forms.bundle)
      out.add(dsse_item(subject, sign::kCosignSignPredicate, signature_about(subject)));
    for (const Predicate& predicate : saying.predicates)
      out.add(dsse_item(subject, predicate.type, statement_about(subject, ref, predicate)));
  }
  return out;
}

Status attest_image(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                    const Predicate& predicate, const SignImageOptions& options) {
  CL_CHECK(require_signable(ref));
  const oci::RawManifest subject{image.manifest_descriptor, image.manifest_text};
  auto done = Signer(session, ref, options).attest(subject, predicate);
  if (!done.has_value()) return std::move(done).error().while_(cat("attesting ", quote(ref.str())));
  return {};
}

}  // namespace cloister::cmd
