#include "cmd/attached.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/stream.h"
#include "base/text.h"
#include "cmd/publish.h"
#include "oci/documents/attached.h"
#include "oci/source/open.h"
#include "oci/write/destinations.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"

namespace cloister::cmd {
namespace {

constexpr int kAttachTries = 3;
constexpr std::string_view kEmptyMediaType = "application/vnd.oci.empty.v1+json";

oci::ImageRef beside(const oci::ImageRef& ref, const std::string& tag) {
  oci::ImageRef out = ref;
  out.tag = tag;
  out.digest.reset();
  out.registry.tag = tag;
  out.registry.digest.reset();
  return out;
}

// Not the session's transport, which remembers the index of a layout.
Result<std::vector<oci::Descriptor>> layers_under(Session& session, const oci::ImageRef& at) {
  std::unique_ptr<oci::ImageTransport> from;
  if (at.transport == oci::Transport::layout) {
    CL_TRY(from, oci::open_layout(at, session.limits()));
  } else {
    CL_TRY(auto client, session.registry(at.registry, oci::Access::push));
    from = oci::make_registry_transport(std::move(client), at.registry);
  }
  auto root = from->root();
  if (!root.has_value()) {
    if (root.error().code() == Code::not_found) return std::vector<oci::Descriptor>();
    return std::move(root).error();
  }
  auto manifest = oci::parse_image_manifest(root->text, session.limits());
  if (!manifest.has_value()) return std::move(manifest).error().while_(cat("reading ", at.str()));
  if (manifest->layers.size() > session.limits().attachments)
    return Error::limit(cat(quote(at.str()), " has more than ", session.limits().attachments,
                            " signatures or attestations"));
  return std::move(manifest->layers);
}

// The configuration that cosign writes: an image configuration that says nothing.
std::string empty_config(const std::vector<oci::Descriptor>& layers) {
  OrderedJson diff_ids = OrderedJson::array();
  for (const oci::Descriptor& layer : layers) diff_ids.push_back(layer.digest.str());
  OrderedJson json = OrderedJson::object();
  json["architecture"] = "";
  json["created"] = "0001-01-01T00:00:00Z";
  json["history"] =
      OrderedJson::array({OrderedJson::object({{"created", "0001-01-01T00:00:00Z"}})});
  json["os"] = "";
  json["rootfs"] = OrderedJson::object({{"type", "layers"}, {"diff_ids", std::move(diff_ids)}});
  json["config"] = OrderedJson::object();
  return dump_json(json);
}

Status put_artefact(Session& session, const oci::ImageRef& at, std::vector<oci::Descriptor> layers,
                    const Artefact& artefact) {
  CL_TRY(oci::Store * store, session.store());
  CL_CHECK(store->put_bytes(artefact.descriptor.media_type, as_bytes(artefact.text)));
  layers.push_back(artefact.descriptor);
  oci::ImageManifest manifest;
  manifest.media_type = std::string(oci::media_type::kOciManifest);
  CL_TRY(manifest.config,
         store->put_bytes(oci::media_type::kOciConfig, as_bytes(empty_config(layers))));
  manifest.layers = std::move(layers);
  oci::ImageContent content;
  content.manifest.text = oci::write_image_manifest(manifest);
  content.manifest.descriptor.media_type = manifest.media_type;
  content.manifest.descriptor.digest = sha256(content.manifest.text);
  content.manifest.descriptor.size = content.manifest.text.size();
  content.blobs = {manifest.config, artefact.descriptor};
  content.open = [store](const oci::Descriptor& blob) { return store->open_blob(blob); };
  return publish(session, content, at, "");
}

// image-spec manifest.md, "Guidelines for Artifact Usage"; the annotations are those of cosign 3.
std::string bundle_manifest(const oci::Descriptor& config, const oci::Descriptor& bundle,
                            const oci::Descriptor& subject, std::string_view predicate_type) {
  const auto plain = [](const oci::Descriptor& d) {
    return OrderedJson::object(
        {{"mediaType", d.media_type}, {"digest", d.digest.str()}, {"size", d.size}});
  };
  OrderedJson json = OrderedJson::object();
  json["schemaVersion"] = 2;
  json["mediaType"] = std::string(oci::media_type::kOciManifest);
  json["artifactType"] = std::string(sign::kBundleMediaType);
  json["config"] = plain(config);
  json["layers"] = OrderedJson::array({plain(bundle)});
  json["subject"] = plain(subject);
  json["annotations"] =
      OrderedJson::object({{"dev.sigstore.bundle.content", "dsse-envelope"},
                           {"dev.sigstore.bundle.predicateType", std::string(predicate_type)}});
  return dump_json(json);
}

bool same_artefact(const oci::Descriptor& a, const oci::Descriptor& b) {
  return a.digest == b.digest && a.annotations == b.annotations;
}

std::string tag_of(const Digest& image, std::string_view suffix) {
  return cat(oci::referrers_tag(image), suffix);
}

bool has_artefact(const std::vector<oci::Descriptor>& layers, const Artefact& artefact) {
  return std::any_of(layers.begin(), layers.end(), [&](const oci::Descriptor& d) {
    return same_artefact(d, artefact.descriptor);
  });
}

// The layers of an attached manifest, verified; empty when it is no image manifest.
Result<std::vector<Artefact>> artefacts_of(Session& session, oci::ImageTransport& from,
                                           const oci::Descriptor& descriptor) {
  std::vector<Artefact> out;
  CL_TRY(const oci::RawManifest raw, from.manifest(descriptor));
  const auto manifest = oci::parse_image_manifest(raw.text, session.limits());
  if (!manifest.has_value()) return out;
  if (manifest->layers.size() > session.limits().attachments)
    return Error::limit(cat("more than ", session.limits().attachments,
                            " signatures or attestations are attached to the image"));
  for (const oci::Descriptor& layer : manifest->layers) {
    if (layer.size > session.limits().attachment_bytes) continue;  // no signature is that large
    CL_TRY(const auto blob, from.blob(layer));
    VerifySource verified(*blob, layer.digest, layer.size, cat("artefact ", layer.digest.str()));
    CL_TRY(const Bytes bytes, read_all(verified, layer.size, "an artefact"));
    out.push_back({layer, std::string(as_text(bytes))});
  }
  return out;
}

void add_evidence(const Artefact& artefact, std::string_view tag, const Limits& limits,
                  AttachedEvidence& out) {
  if (tag.ends_with(kSignatureSuffix)) {
    const auto at = artefact.descriptor.annotations.find(kSignatureAnnotation);
    if (at == artefact.descriptor.annotations.end()) return;
    if (auto signature = unbase64(at->second))
      out.signatures.push_back({artefact.text, std::move(*signature)});
    return;
  }
  const bool attestation = tag.ends_with(kAttestationSuffix);
  auto envelope = attestation ? sign::parse_dsse(artefact.text, limits)
                              : sign::parse_bundle(artefact.text, limits);
  if (envelope.has_value())
    (attestation ? out.attestations : out.bundles).push_back(std::move(*envelope));
}

}  // namespace

std::vector<sign::DsseEnvelope> AttachedEvidence::envelopes() const {
  std::vector<sign::DsseEnvelope> out = attestations;
  out.insert(out.end(), bundles.begin(), bundles.end());
  return out;
}

Result<AttachedEvidence> read_attached(Session& session, const oci::ImageRef& ref,
                                       const Digest& image) {
  AttachedEvidence out;
  CL_TRY(oci::ImageTransport * from, session.transport(ref));
  CL_TRY(const auto attached, from->attached(image));
  if (attached.size() > session.limits().attachments)
    return Error::limit(
        cat("more than ", session.limits().attachments, " artefacts are attached to the image"));
  for (const oci::Attached& item : attached) {
    CL_CHECK(session.cancel().check());
    auto artefacts = artefacts_of(session, *from, item.descriptor);
    if (!artefacts.has_value()) {
      // A list of referrers may name what is not there, or is something else.
      if (item.tag.empty() && artefacts.error().code() != Code::cancelled &&
          artefacts.error().code() != Code::unavailable)
        continue;
      return std::move(artefacts).error().while_("reading what is attached to the image");
    }
    for (const Artefact& artefact : *artefacts)
      add_evidence(artefact, item.tag, session.limits(), out);
  }
  return out;
}

Status attach_under_tag(Session& session, const oci::ImageRef& ref, const Digest& image,
                        std::string_view suffix, const Artefact& artefact) {
  const oci::ImageRef at = beside(ref, tag_of(image, suffix));
  for (int attempt = 0; attempt < kAttachTries; ++attempt) {
    CL_CHECK(session.cancel().check());
    CL_TRY(const auto layers, layers_under(session, at));
    if (has_artefact(layers, artefact)) return {};
    CL_CHECK(put_artefact(session, at, layers, artefact));
  }
  CL_TRY(const auto layers, layers_under(session, at));
  if (has_artefact(layers, artefact)) return {};
  return Error::conflict(cat("somebody else keeps replacing ", quote(at.str())))
      .hint("sign again when nobody else does");
}

Status attach_bundle(Session& session, const oci::ImageRef& ref, const oci::RawManifest& image,
                     const std::string& bundle, std::string_view predicate_type) {
  CL_TRY(oci::Store * store, session.store());
  CL_TRY(const oci::Descriptor layer, store->put_bytes(sign::kBundleMediaType, as_bytes(bundle)));
  CL_TRY(const oci::Descriptor config, store->put_bytes(kEmptyMediaType, as_bytes("{}")));
  oci::RawManifest manifest;
  manifest.text = bundle_manifest(config, layer, image.descriptor, predicate_type);
  manifest.descriptor.media_type = std::string(oci::media_type::kOciManifest);
  manifest.descriptor.digest = sha256(manifest.text);
  manifest.descriptor.size = manifest.text.size();
  const oci::WriteContext context{session.limits(), session.pool(), session.progress(),
                                  session.cancel()};
  oci::ImageContent content;
  content.manifest = image;
  content.blobs = {config, layer};
  content.open = [store](const oci::Descriptor& blob) { return store->open_blob(blob); };
  content.attached.push_back({std::move(manifest), "", image.descriptor.digest});
  if (ref.transport == oci::Transport::layout)
    return oci::write_layout(content, ref.path, ref.tag, context);
  // By digest: the tag may have been moved meanwhile, and is not ours to move back.
  CL_TRY(const auto client, session.registry(ref.registry, oci::Access::push));
  return oci::push_image(content, *client, "", "", context);
}

}  // namespace cloister::cmd
