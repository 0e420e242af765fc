#include "cmd/attached.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cmd/publish.h"
#include "oci/documents/attached.h"
#include "oci/source/open.h"
#include "oci/write/destinations.h"
#include "sign/image/bundle.h"

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

// The manifest under a tag of the registry or layout; nothing when there is no such tag. Read anew,
// not through the session's transport, which remembers the index of a layout.
Result<std::optional<oci::RawManifest>> manifest_under(Session& session, const oci::ImageRef& at) {
  auto read = [&]() -> Result<oci::RawManifest> {
    if (at.transport == oci::Transport::layout) {
      CL_TRY(const auto layout, oci::open_layout(at, session.limits()));
      return layout->root();
    }
    CL_TRY(const auto client, session.registry(at.registry, oci::Access::push));
    return client->get_manifest(at.registry.tag);
  }();
  if (read.has_value()) return std::optional(std::move(*read));
  if (read.error().code() == Code::not_found) return std::optional<oci::RawManifest>();
  return std::move(read).error();
}

Result<std::vector<oci::Descriptor>> layers_under(Session& session, const oci::ImageRef& at) {
  CL_TRY(const auto root, manifest_under(session, at));
  if (!root) return std::vector<oci::Descriptor>();
  auto manifest = oci::parse_image_manifest(root->text, session.limits());
  if (!manifest.has_value()) return std::move(manifest).error().while_(cat("reading ", at.str()));
  return std::move(manifest->layers);
}

Status put_artefact(Session& session, const oci::ImageRef& at, std::vector<oci::Descriptor> layers,
                    const Artefact& artefact) {
  CL_TRY(oci::Store * store, session.store());
  CL_CHECK(store->put_bytes(artefact.descriptor.media_type, as_bytes(artefact.text)));
  layers.push_back(artefact.descriptor);
  oci::ImageManifest manifest;
  manifest.media_type = std::string(oci::media_type::kOciManifest);
  CL_TRY(manifest.config,
         store->put_bytes(oci::media_type::kOciConfig, as_bytes(oci::cosign_config(layers))));
  manifest.layers = std::move(layers);
  oci::ImageContent content;
  content.manifest.text = oci::write_image_manifest(manifest);
  content.manifest.descriptor = oci::describe(manifest.media_type, content.manifest.text);
  content.blobs = {manifest.config, artefact.descriptor};
  content.open = [store](const oci::Descriptor& blob) { return store->open_blob(blob); };
  return publish(session, content, at, "");
}

bool has_artefact(const std::vector<oci::Descriptor>& layers, const Artefact& artefact) {
  return std::any_of(layers.begin(), layers.end(), [&](const oci::Descriptor& d) {
    return d.digest == artefact.descriptor.digest &&
           d.annotations == artefact.descriptor.annotations;
  });
}

}  // namespace

Status attach_under_tag(Session& session, const oci::ImageRef& ref, const Digest& image,
                        std::string_view suffix, const Artefact& artefact) {
  const oci::ImageRef at = beside(ref, oci::cosign_tag(image, suffix));
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
  CL_TRY(const oci::Descriptor config,
         store->put_bytes(oci::kEmptyMediaType, as_bytes(oci::kEmptyContent)));
  oci::RawManifest manifest;
  manifest.text =
      oci::write_referrer(layer, image.descriptor,
                          {{"dev.sigstore.bundle.content", "dsse-envelope"},
                           {"dev.sigstore.bundle.predicateType", std::string(predicate_type)}});
  manifest.descriptor = oci::describe(oci::media_type::kOciManifest, manifest.text);
  const oci::WriteContext context = session.write_context();
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
