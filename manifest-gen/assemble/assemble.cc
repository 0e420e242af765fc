// One layer on top, a configuration and a manifest around it; the base's layers are named as they
// were. The base decides the flavour: what was a Docker schema 2 image stays one, media types and
// all, because some registries and tools refuse a mixture. Only OCI manifests have annotations.
#include "manifest-gen/assemble/assemble.h"

#include "base/text.h"
#include "manifest-gen/assemble/derived_config.h"
#include "manifest-gen/assemble/layer_tree.h"
#include "manifest-gen/assemble/tar_layer.h"

namespace cloister::manifest {
namespace {

struct Flavour {
  std::string_view manifest, config, layer;
  bool annotations;
};

constexpr Flavour kOci = {oci::media_type::kOciManifest, oci::media_type::kOciConfig,
                          oci::media_type::kOciLayerGzip, true};
constexpr Flavour kDocker = {oci::media_type::kDockerManifest, oci::media_type::kDockerConfig,
                             oci::media_type::kDockerLayerGzip, false};

oci::Descriptor describe(std::string_view media_type, const Digest& digest, std::size_t size) {
  oci::Descriptor out;
  out.media_type = media_type;
  out.digest = digest;
  out.size = size;
  return out;
}

std::size_t count_files(const LayerTree& tree) {
  std::size_t count = 0;
  for (const auto& [path, entry] : tree) count += entry.type == LayerEntry::Type::file;
  return count;
}

}  // namespace

Result<AssembledImage> assemble(const AssembleInput& input, const Limits& limits) {
  const oci::Image& base = input.base;
  if (base.manifest.layers.size() >= limits.layers)
    return Error::limit(cat("the base image has ", base.manifest.layers.size(), " layers already"))
        .detail(cat("at most ", limits.layers, " are possible"));
  const Flavour& flavour =
      base.manifest.media_type == oci::media_type::kDockerManifest ? kDocker : kOci;
  CL_TRY(auto facts, image_facts(input));
  CL_TRY(const LayerTree tree, plan_layer(input, limits));
  CL_TRY(PackedLayer layer, pack_layer(tree, input.runtime, input.created, limits));

  AssembledImage out;
  out.layer_files = count_files(tree);
  out.layer_diff_id = layer.diff_id;
  out.layer_descriptor = describe(flavour.layer, layer.digest, layer.gzip.size());
  out.layer = std::move(layer.gzip);
  CL_TRY(out.config, derive_config(input, out.layer_diff_id, facts, limits));
  out.config_descriptor = describe(flavour.config, sha256(out.config), out.config.size());

  out.manifest.media_type = flavour.manifest;
  out.manifest.config = out.config_descriptor;
  out.manifest.layers = base.manifest.layers;
  out.manifest.layers.push_back(out.layer_descriptor);
  if (flavour.annotations) out.manifest.annotations = std::move(facts);
  out.manifest_text = oci::write_image_manifest(out.manifest);
  out.manifest_descriptor =
      describe(flavour.manifest, sha256(out.manifest_text), out.manifest_text.size());
  return out;
}

}  // namespace cloister::manifest
