// Anyone who may push may attach, and lie: what is malformed, missing, too large or too much is
// passed over, and whatever there is costs a bounded amount of memory and time. Only what keeps us
// from reading at all (no answer, no authorisation) is an error.
#include <map>
#include <set>

#include "base/stream.h"
#include "base/text.h"
#include "cmd/attached.h"
#include "oci/documents/attached.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMaxPayload = 64U << 10;     // simple signing names an image, no more
constexpr std::size_t kMaxSignatureText = 8U << 10;  // base64; RSA-16384 has 2.7 KiB
constexpr std::string_view kBundlePrefix = "application/vnd.dev.sigstore.bundle";

bool keeps_from_reading(const Error& error) {
  return error.code() == Code::cancelled || error.code() == Code::unavailable ||
         error.code() == Code::unauthorized || error.code() == Code::conflict;
}

class EvidenceReader {
 public:
  EvidenceReader(Session& session, oci::ImageTransport& from)
      : session_(session), limits_(session.limits()), from_(from) {}

  Status read(const oci::Attached& item) {
    CL_CHECK(session_.cancel().check());
    if (!seen_.insert(item.descriptor.digest).second) return {};
    auto raw = from_.manifest(item.descriptor);
    if (!raw.has_value()) return pass_over(std::move(raw).error());
    const auto manifest = oci::parse_image_manifest(raw->text, limits_);
    if (!manifest.has_value()) return {};  // something else refers to the image
    for (const oci::Descriptor& layer : manifest->layers) CL_CHECK(read_layer(layer, item.tag));
    return {};
  }

  AttachedEvidence take() { return std::move(out_); }

 private:
  Status pass_over(Error error) {
    if (keeps_from_reading(error)) return error;
    ++out_.unread;
    return {};
  }

  Status read_layer(const oci::Descriptor& layer, std::string_view tag) {
    if (tag.ends_with(oci::kSignatureSuffix)) return read_signature(layer);
    const bool attestation = tag.ends_with(oci::kAttestationSuffix);
    const bool wanted = attestation ? layer.media_type == kDsseMediaType
                                    : tag.empty() && layer.media_type.starts_with(kBundlePrefix);
    if (!wanted || !seen_.insert(layer.digest).second) return {};
    auto text = fetch(layer, limits_.attachment_bytes, attestation ? attestations_ : bundles_);
    if (!text.has_value()) return pass_over(std::move(text).error());
    auto envelope =
        attestation ? sign::parse_dsse(*text, limits_) : sign::parse_bundle(*text, limits_);
    if (envelope.has_value())
      (attestation ? out_.attestations : out_.bundles).push_back(std::move(*envelope));
    return {};
  }

  // One payload may stand there many times, signed by as many keys: it is fetched once.
  Status read_signature(const oci::Descriptor& layer) {
    const auto at = layer.annotations.find(kSignatureAnnotation);
    if (layer.media_type != kSimpleSigningMediaType || at == layer.annotations.end() ||
        at->second.size() > kMaxSignatureText)
      return {};
    auto signature = unbase64(at->second);
    if (!signature) return {};
    auto known = payloads_.find(layer.digest);
    if (known == payloads_.end()) {
      auto text = fetch(layer, kMaxPayload, signatures_);
      if (!text.has_value()) return pass_over(std::move(text).error());
      known = payloads_.emplace(layer.digest, std::move(*text)).first;
    }
    out_.signatures.push_back({known->second, std::move(*signature)});
    return {};
  }

  // `items` counts those of one kind: many of one do not hide the others.
  Result<std::string> fetch(const oci::Descriptor& layer, std::uint64_t most, std::size_t& items) {
    if (layer.size > most || items >= limits_.attachments ||
        bytes_ + layer.size > limits_.all_attachments_bytes)
      return Error::limit("more is attached to the image than is looked at");
    ++items;
    bytes_ += layer.size;
    CL_TRY(const auto blob, from_.blob(layer));
    VerifySource verified(*blob, layer.digest, layer.size, cat("artefact ", layer.digest.str()));
    CL_TRY(const Bytes bytes, read_all(verified, layer.size, "an artefact"));
    return std::string(as_text(bytes));
  }

  Session& session_;
  const Limits& limits_;
  oci::ImageTransport& from_;
  AttachedEvidence out_;
  std::set<Digest> seen_;  // manifests, envelopes and bundles
  std::map<Digest, std::string> payloads_;
  std::size_t signatures_ = 0, attestations_ = 0, bundles_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::vector<sign::DsseEnvelope> AttachedEvidence::envelopes() const {
  std::vector<sign::DsseEnvelope> out = attestations;
  out.insert(out.end(), bundles.begin(), bundles.end());
  return out;
}

Result<AttachedEvidence> read_attached(Session& session, const oci::ImageRef& ref,
                                       const Digest& image) {
  CL_TRY(oci::ImageTransport * from, session.transport(ref));
  CL_TRY(const auto attached, from->attached(image));
  EvidenceReader reader(session, *from);
  for (const oci::Attached& item : attached)
    CL_CHECK(reader.read(item).while_("reading what is attached to the image"));
  return reader.take();
}

}  // namespace cloister::cmd
