#include "cmd/attached.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/stream.h"
#include "base/text.h"
#include "cmd/publish.h"

namespace cloister::cmd {
namespace {

constexpr int kAttachTries = 3;

oci::ImageRef beside(const oci::ImageRef& ref, const std::string& tag) {
  oci::ImageRef out = ref;
  out.tag = tag;
  out.digest.reset();
  out.registry.tag = tag;
  out.registry.digest.reset();
  return out;
}

Result<std::vector<oci::Descriptor>> attached_layers(Session& session, oci::ImageTransport& from,
                                                     const oci::ImageRef& at) {
  auto root = from.root();
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
                    const Attached& artefact) {
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

bool same_artefact(const oci::Descriptor& a, const oci::Descriptor& b) {
  return a.digest == b.digest && a.annotations == b.annotations;
}

}  // namespace

std::string attachment_tag(const Digest& image, std::string_view suffix) {
  return cat("sha256-", image.hex(), suffix);
}

Result<std::vector<Attached>> read_attached(Session& session, const oci::ImageRef& ref,
                                            const Digest& image, std::string_view suffix) {
  const oci::ImageRef at = beside(ref, attachment_tag(image, suffix));
  CL_TRY(const auto from, session.transport(at));
  CL_TRY(const auto layers, attached_layers(session, *from, at));
  std::vector<Attached> out;
  for (const oci::Descriptor& layer : layers) {
    if (layer.size > session.limits().attachment_bytes)
      return Error::limit(cat("an artefact under ", quote(at.str()), " has more than ",
                              human_bytes(session.limits().attachment_bytes)));
    CL_TRY(const auto blob, from->blob(layer));
    VerifySource verified(*blob, layer.digest, layer.size, cat("artefact ", layer.digest.str()));
    CL_TRY(const Bytes bytes, read_all(verified, layer.size, "an artefact"));
    out.push_back({layer, std::string(as_text(bytes))});
  }
  return out;
}

Status attach(Session& session, const oci::ImageRef& ref, const Digest& image,
              std::string_view suffix, const Attached& artefact) {
  const oci::ImageRef at = beside(ref, attachment_tag(image, suffix));
  for (int attempt = 0; attempt < kAttachTries; ++attempt) {
    CL_CHECK(session.cancel().check());
    CL_TRY(const auto from, session.transport(at));
    CL_TRY(const auto layers, attached_layers(session, *from, at));
    const bool there = std::any_of(layers.begin(), layers.end(), [&](const oci::Descriptor& d) {
      return same_artefact(d, artefact.descriptor);
    });
    if (there) return {};
    CL_CHECK(put_artefact(session, at, layers, artefact));
  }
  CL_TRY(const auto from, session.transport(at));
  CL_TRY(const auto layers, attached_layers(session, *from, at));
  if (std::any_of(layers.begin(), layers.end(),
                  [&](const oci::Descriptor& d) { return same_artefact(d, artefact.descriptor); }))
    return {};
  return Error::conflict(cat("somebody else keeps replacing ", quote(at.str())))
      .hint("sign again when nobody else does");
}

}  // namespace cloister::cmd
