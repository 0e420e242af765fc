// Reads the layout by hand: index.json, manifest, config, layers. No store, no cache.
#include "tests/manifest-gen/gramine/corpus_image.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/inflate.h"
#include "base/json.h"
#include "base/text.h"

namespace cloister::test {
namespace {

std::string blob_path(const std::string& layout, const Digest& digest) {
  return cat(layout, "/blobs/sha256/", digest.hex());
}

Result<std::string> read_blob(const std::string& layout, const Digest& digest) {
  return read_text_file(blob_path(layout, digest), Limits{}.config_bytes);
}

Result<Digest> find_tag(const std::string& layout, const std::string& tag) {
  CL_TRY(const std::string text, read_text_file(layout + "/index.json", Limits{}.manifest_bytes));
  CL_TRY(const Json index, parse_json(text, Limits{}, "index.json"));
  for (const Json& entry : index.at("manifests"))
    if (entry.value("annotations", Json::object()).value("org.opencontainers.image.ref.name", "") ==
        tag)
      return Digest::parse(entry.at("digest").get<std::string>());
  return Error::not_found(cat("no tag ", tag));
}

Result<measure::IndexedLayer> index(const std::string& layout, const oci::Descriptor& layer,
                                    const Digest& diff_id) {
  CL_TRY(const auto source, FileSource::open(blob_path(layout, layer.digest)));
  const Compression compression =
      layer.media_type.ends_with("zstd") ? Compression::zstd : Compression::gzip;
  CL_TRY(measure::LayerIndex out,
         measure::index_layer(*source, compression, diff_id, Limits{}, CancelToken()));
  return measure::IndexedLayer{std::make_shared<const measure::LayerIndex>(std::move(out)),
                               nullptr};
}

}  // namespace

Result<CorpusImage> load_corpus_image(const std::string& layout, const std::string& tag) {
  CL_TRY(const Digest digest, find_tag(layout, tag));
  CL_TRY(const std::string manifest_text, read_blob(layout, digest));
  CL_TRY(const oci::ImageManifest manifest, oci::parse_image_manifest(manifest_text, Limits{}));
  CL_TRY(const std::string config_text, read_blob(layout, manifest.config.digest));
  CL_TRY(const oci::ImageConfig config, oci::parse_image_config(config_text, Limits{}));
  std::vector<measure::IndexedLayer> layers;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    CL_TRY(measure::IndexedLayer layer, index(layout, manifest.layers[i], config.diff_ids.at(i)));
    layers.push_back(std::move(layer));
  }
  CL_TRY(measure::Rootfs rootfs, measure::Rootfs::merge(std::move(layers), Limits{}));
  return CorpusImage{config.config, std::move(rootfs)};
}

}  // namespace cloister::test
