#include "cmd/sign_image.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "cmd/attached.h"
#include "cmd/enclave_image.h"
#include "manifest-gen/assemble/paths.h"
#include "sign/image/dsse.h"
#include "sign/image/measurement.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kSimpleSigningMediaType =
    "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view kDsseMediaType = "application/vnd.dsse.envelope.v1+json";
constexpr const char* kSignatureAnnotation = "dev.cosignproject.cosign/signature";
constexpr const char* kPredicateAnnotation = "predicateType";
constexpr std::string_view kAnnotationBaseName = "org.opencontainers.image.base.name";
constexpr std::string_view kAnnotationBaseDigest = "org.opencontainers.image.base.digest";

Attached artefact(std::string_view media_type, std::string text) {
  Attached out;
  out.descriptor.media_type = std::string(media_type);
  out.descriptor.digest = sha256(text);
  out.descriptor.size = text.size();
  out.text = std::move(text);
  return out;
}

// "host/repository:tag"; a digest reference has no tag, a layout only its own name for the image.
std::string default_identity(const oci::ImageRef& ref) {
  if (ref.transport != oci::Transport::registry) return ref.tag;
  const std::string name = ref.registry.name();
  return ref.registry.tag.empty() ? name : cat(name, ":", ref.registry.tag);
}

// ECDSA signatures differ each time: what counts is whether this key has signed these bytes.
bool is_signed(const std::vector<Attached>& there, const std::string& payload,
               const sign::ImagePublicKey& key) {
  return std::any_of(there.begin(), there.end(), [&](const Attached& a) {
    const auto at = a.descriptor.annotations.find(kSignatureAnnotation);
    if (a.text != payload || at == a.descriptor.annotations.end()) return false;
    const auto signature = unbase64(at->second);
    return signature && key.verify(as_bytes(payload), *signature);
  });
}

bool is_attested(const std::vector<Attached>& there, const std::string& statement,
                 const sign::ImagePublicKey& key, const Limits& limits) {
  return std::any_of(there.begin(), there.end(), [&](const Attached& a) {
    const auto envelope = sign::parse_dsse(a.text, limits);
    return envelope.has_value() && envelope->payload == statement &&
           sign::verify_dsse(*envelope, key);
  });
}

Status add_signature(Session& session, const oci::ImageRef& ref, const Digest& image,
                     const SignImageOptions& options) {
  const std::string identity = options.identity.empty() ? default_identity(ref) : options.identity;
  const std::string payload = sign::encode_simple_signing({identity, image});
  CL_TRY(const auto there, read_attached(session, ref, image, kSignatureSuffix));
  if (is_signed(there, payload, options.key.public_key())) return {};
  CL_TRY(const Bytes signature, options.key.sign(as_bytes(payload)));
  Attached out = artefact(kSimpleSigningMediaType, payload);
  out.descriptor.annotations[kSignatureAnnotation] = base64(signature);
  return attach(session, ref, image, kSignatureSuffix, out);
}

Status add_attestation(Session& session, const oci::ImageRef& ref, const Digest& image,
                       const std::string& predicate, const SignImageOptions& options) {
  const std::string name =
      ref.transport == oci::Transport::registry ? ref.registry.name() : std::string();
  const std::string statement =
      sign::encode_statement(name, image, sign::kMeasurementPredicate, predicate);
  CL_TRY(const auto there, read_attached(session, ref, image, kAttestationSuffix));
  if (is_attested(there, statement, options.key.public_key(), session.limits())) return {};
  CL_TRY(std::string envelope, sign::sign_dsse(sign::kInTotoPayloadType, statement, options.key));
  Attached out = artefact(kDsseMediaType, std::move(envelope));
  out.descriptor.annotations[kSignatureAnnotation] = "";  // cosign wants the key, not a value
  out.descriptor.annotations[kPredicateAnnotation] = std::string(sign::kMeasurementPredicate);
  return attach(session, ref, image, kAttestationSuffix, out);
}

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
  p.runtime_name = "gramine";
  p.runtime_version = enclave.version;
  p.runtime_files = enclave.runtime_files;
  p.manifest_path = std::string(manifest::kSgxManifestPath);
  p.manifest_digest = evidence.manifest_digest;
  p.trusted_files = evidence.trusted.size();
  p.trusted_digest = sign::trusted_files_digest(evidence.trusted);
  const auto& labels = image.config.config.labels;
  if (const auto at = labels.find(std::string(kAnnotationBaseName)); at != labels.end())
    p.base_uri = at->second;
  if (const auto at = labels.find(std::string(kAnnotationBaseDigest)); at != labels.end()) {
    CL_TRY(p.base_digest, Digest::parse(at->second));
  }
  p.generator_version = std::string(kVersion);
  return sign::encode_measurement(p);
}

}  // namespace

Result<sign::ImageKey> load_image_key(Session& session, const std::string& file,
                                      const PassphraseOptions& passphrase) {
  CL_TRY(const Bytes pem, read_file(file, session.limits().key_bytes));
  return sign::ImageKey::from_pem(
      pem, passphrase_source(passphrase, session.env(), cat("passphrase for ", quote(file))),
      quote(file));
}

Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options) {
  if (ref.transport == oci::Transport::archive)
    return Error::usage("an archive cannot be signed: nothing can be added to it")
        .hint("copy it to a registry or a layout with cloister push, and sign it there");
  CL_TRY(const oci::Image image, session.resolve(ref));
  SignedImage out;
  out.digest = image.manifest_descriptor.digest;
  std::vector<Digest> subjects = {out.digest};
  // Who resolves the tag sees the index: both are signed.
  if (image.index_digest) subjects.push_back(*image.index_digest);

  std::optional<std::string> predicate;
  if (is_enclave_ready(image)) {
    CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
    CL_TRY(const EnclaveImage enclave, read_enclave(*loaded.rootfs, image, session.limits()));
    CL_TRY(predicate, predicate_of(loaded, enclave, session.limits()));
  }
  for (const Digest& subject : subjects) {
    auto added = add_signature(session, ref, subject, options);
    if (added.has_value() && predicate)
      added = add_attestation(session, ref, subject, *predicate, options);
    if (!added.has_value())
      return std::move(added).error().while_(cat("signing ", quote(ref.str())));
  }
  out.attested = predicate.has_value();
  return out;
}

}  // namespace cloister::cmd
