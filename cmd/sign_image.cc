#include "cmd/sign_image.h"

#include <algorithm>

#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/enclave_image.h"
#include "manifest-gen/assemble/paths.h"
#include "oci/documents/attached.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"
#include "sign/image/measurement.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kSimpleSigningMediaType =
    "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view kDsseMediaType = "application/vnd.dsse.envelope.v1+json";
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

  Status sign(const oci::RawManifest& image, const std::optional<std::string>& predicate) {
    const Digest& digest = image.descriptor.digest;
    const sign::ImagePublicKey& key = options_.key.public_key();
    CL_TRY(const AttachedEvidence there, read_attached(session_, ref_, digest));
    const std::string signature =
        sign::encode_statement("", digest, sign::kCosignSignPredicate, "{}");
    if (options_.forms.legacy) CL_CHECK(add_signature(digest, there));
    if (options_.forms.bundle && !is_stated(there.bundles, signature, key))
      CL_CHECK(add_bundle(image, signature, sign::kCosignSignPredicate));
    if (!predicate) return {};
    const std::string name =
        ref_.transport == oci::Transport::registry ? ref_.registry.name() : std::string();
    const std::string statement =
        sign::encode_statement(name, digest, sign::kMeasurementPredicate, *predicate);
    if (options_.forms.legacy && !is_stated(there.attestations, statement, key))
      CL_CHECK(add_attestation(digest, statement));
    if (options_.forms.bundle && !is_stated(there.bundles, statement, key))
      CL_CHECK(add_bundle(image, statement, sign::kMeasurementPredicate));
    return {};
  }

 private:
  Status add_signature(const Digest& image, const AttachedEvidence& there) {
    const std::string identity =
        options_.identity.empty() ? default_identity(ref_) : options_.identity;
    const std::string payload = sign::encode_simple_signing({identity, image});
    if (is_signed(there, payload, options_.key.public_key())) return {};
    CL_TRY(const Bytes signature, options_.key.sign(as_bytes(payload)));
    Artefact out = artefact(kSimpleSigningMediaType, payload);
    out.descriptor.annotations[kSignatureAnnotation] = base64(signature);
    return attach_under_tag(session_, ref_, image, oci::kSignatureSuffix, out);
  }

  Status add_attestation(const Digest& image, const std::string& statement) {
    CL_TRY(std::string envelope, signed_statement(statement));
    Artefact out = artefact(kDsseMediaType, std::move(envelope));
    out.descriptor.annotations[kSignatureAnnotation] = "";  // cosign wants the key, not a value
    out.descriptor.annotations[kPredicateAnnotation] = std::string(sign::kMeasurementPredicate);
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

Result<std::string> predicate_of(const LoadedImage& loaded, const EnclaveImage& enclave,
                                 const Limits& limits) {
  CL_TRY(const sign::EnclaveEvidence evidence, enclave_evidence(loaded, enclave, limits));
  sign::EnclavePins pins;
  pins.allow_debug = true;  // attested as what it is
  for (const sign::Check& check : sign::check_enclave_evidence(evidence, pins))
    if (!check.passed)
      return Error::policy(cat("the image does not hold what it promises: ", check.name))
          .detail(cat("got ", check.found, ", want ", check.expected))
          .hint("build it anew; nothing was signed");
  const oci::Image& image = loaded.image;
  sign::MeasurementPredicate p;
  p.media_type = image.manifest_descriptor.media_type;
  p.platform = image.config.platform().str();
  p.sigstruct = enclave.sigstruct;
  p.mrsigner = enclave.sigstruct.mrsigner();
  p.sigstruct_digest = enclave.sigstruct_digest;
  p.enclave_size = enclave.enclave_size;
  p.runtime_name = evidence.runtime_name;
  p.runtime_version = evidence.runtime_version;
  p.runtime_files = evidence.runtime_files;
  p.manifest_path = std::string(manifest::kSgxManifestPath);
  p.manifest_digest = evidence.manifest_digest;
  p.trusted_files = evidence.trusted.size();
  p.trusted_digest = sign::trusted_files_digest(evidence.trusted);
  p.base_uri = evidence.base_uri;
  p.base_digest = evidence.base_digest;
  p.generator_version = std::string(kVersion);
  return sign::encode_measurement(p);
}

}  // namespace

void add_signature_format_option(CLI::App& app, std::string& format) {
  app.add_option("--sig-format", format,
                 "legacy (.sig and .att tags), bundle (Sigstore bundles) or both")
      ->check(CLI::IsMember({"both", "legacy", "bundle"}))
      ->capture_default_str();
}

SignatureForms signature_forms(const std::string& name) {
  return {name != "bundle", name != "legacy"};
}

Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options) {
  if (ref.transport != oci::Transport::registry && ref.transport != oci::Transport::layout)
    return Error::usage("only an image in a registry or a layout can be signed")
        .detail("nothing can be added to an archive, or to what a daemon holds")
        .hint("copy it to a registry or a layout with cloister push, and sign it there");
  CL_TRY(const oci::Image image, session.resolve(ref));
  std::vector<oci::RawManifest> subjects = {{image.manifest_descriptor, image.manifest_text}};
  if (image.index_digest) {
    // Who resolves the tag sees the index: both are signed.
    CL_TRY(oci::ImageTransport * from, session.transport(ref));
    CL_TRY(oci::RawManifest index, from->root());
    if (index.descriptor.digest == *image.index_digest) subjects.push_back(std::move(index));
  }

  std::optional<std::string> predicate;
  if (is_enclave_ready(image)) {
    CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
    CL_TRY(const EnclaveImage enclave, read_enclave(*loaded.rootfs, image, session.limits()));
    CL_TRY(predicate, predicate_of(loaded, enclave, session.limits()));
  }
  Signer signer(session, ref, options);
  for (const oci::RawManifest& subject : subjects) {
    auto done = signer.sign(subject, predicate);
    if (!done.has_value()) return std::move(done).error().while_(cat("signing ", quote(ref.str())));
  }
  return SignedImage{image.manifest_descriptor.digest, predicate.has_value()};
}

}  // namespace cloister::cmd
