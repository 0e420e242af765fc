// A plain tar's digest is its diffID, and its size is that of the file: configuration and store
// together know what the manifest of an export says.
#include "oci/store/stored_export.h"

#include <system_error>

#include "oci/documents/image.h"
#include "oci/source/docker_archive.h"
#include "oci/source/named_layout.h"

namespace cloister::oci {
namespace {

class StoredExport final : public ImageTransport {
 public:
  StoredExport(const Store& store, RawManifest manifest)
      : store_(store), manifest_(std::move(manifest)) {}
  Result<RawManifest> root() override { return manifest_; }
  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    if (descriptor.digest == manifest_.descriptor.digest) return manifest_;
    return missing_blob(descriptor, store_.directory().native());
  }
  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    return store_.open_blob(descriptor);
  }

 private:
  const Store& store_;
  const RawManifest manifest_;
};

// Of a blob in the store; nothing when it is not there.
std::optional<std::uint64_t> stored_size(const Store& store, const Digest& digest) {
  std::error_code error;
  const auto size = fs::file_size(store.blob_path(digest), error);
  if (error || !store.has_blob(digest, size)) return std::nullopt;
  return size;
}

}  // namespace

std::unique_ptr<ImageTransport> open_stored_export(const Store& store, const Digest& config,
                                                   const Limits& limits) {
  Descriptor descriptor;
  descriptor.digest = config;
  const auto config_size = stored_size(store, config);
  if (!config_size) return nullptr;
  descriptor.size = *config_size;
  const auto text = store.read_blob(descriptor, limits.config_bytes);
  if (!text.has_value()) return nullptr;
  const auto parsed = parse_image_config(as_text(*text), limits);
  if (!parsed.has_value()) return nullptr;
  std::vector<Descriptor> layers;
  for (const Digest& diff_id : parsed->diff_ids) {
    const auto size = stored_size(store, diff_id);
    if (!size) return nullptr;
    Descriptor layer;
    layer.media_type = media_type::kOciLayer;
    layer.digest = diff_id;
    layer.size = *size;
    layers.push_back(std::move(layer));
  }
  return std::make_unique<StoredExport>(store, make_manifest(as_text(*text), std::move(layers)));
}

}  // namespace cloister::oci
