// From a reference to an image: root document, indexes by platform, manifest, configuration.
#include "base/hint.h"
#include "base/text.h"
#include "oci/store/document_reader.h"
#include "oci/store/store.h"

namespace cloister::oci {
namespace {

constexpr int kMaxIndexDepth = 3;    // an index in an index in an index
constexpr int kMaxIndexVisits = 64;  // documents that are looked at on the way to the image

class Resolver {
 public:
  Resolver(const ImageRef& ref, ImageTransport& transport, Store& store,
           const FetchContext& context)
      : ref_(ref), reader_(ref, transport, store, context), context_(context) {}

  Result<Image> resolve();

 private:
  Result<RawManifest> find_manifest(Image& image);
  Status read_config(Image& image);

  const ImageRef& ref_;
  DocumentReader reader_;
  const FetchContext& context_;
};

Status check_layers(const ImageManifest& manifest, const Limits& limits) {
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    const bool readable = manifest.config.media_type == media_type::kGuestConfig
                              ? layer.media_type.starts_with(media_type::kGuestFilePrefix)
                              : layer_compression(layer.media_type).has_value();
    if (!readable) return unreadable_layer(layer, i, manifest.layers.size());
    if (layer.size > limits.blob_bytes)
      return Error::limit(cat("layer ", i + 1, " of ", manifest.layers.size(),
                              " is larger than the limit of ", human_bytes(limits.blob_bytes)));
  }
  return {};
}

// A Helm chart, a signature or a Wasm module is an OCI manifest as well.
Status check_is_image(const ImageManifest& manifest) {
  const std::string_view type = manifest.config.media_type;
  if (type.empty() || type == media_type::kOciConfig || type == media_type::kDockerConfig ||
      type == media_type::kGuestConfig)
    return {};
  return Error::unsupported(
             cat("not a container image: its config is of type ", quote(type.substr(0, 200))))
      .hint("name a container image");
}

// Old configurations name no platform: then nothing contradicts.
Status check_platform(const ImageConfig& config, const Platform& want) {
  const bool os_ok = config.os.empty() || config.os == want.os;
  const bool architecture_ok =
      config.architecture.empty() || config.architecture == want.architecture;
  if (os_ok && architecture_ok) return {};
  const std::string have = printable(config.platform().str());
  return Error::not_found(cat("the image is ", have, ", not ", printable(want.str())))
      .hint(cat("name a tag that has ", printable(want.str()), ", or give --platform ", have));
}

Status check_diff_ids(const Image& image) {
  if (image.config.diff_ids.size() == image.manifest.layers.size()) return {};
  return Error::corrupt("the image configuration does not fit the image manifest")
      .detail(cat("got ", image.config.diff_ids.size(), " diff_ids for ",
                  image.manifest.layers.size(), " layers"))
      .hint("the image was assembled wrongly; ask its owner for another build");
}

Status Resolver::read_config(Image& image) {
  const Descriptor& config = image.manifest.config;
  const std::uint64_t max = context_.limits.config_bytes;
  if (config.size > max)
    return Error::limit(
               cat("the image configuration is larger than the limit of ", human_bytes(max)))
        .detail(cat("got ", config.size, " bytes"));
  CL_TRY(const std::string text, reader_.text(config, max));
  CL_TRY(image.config, parse_image_config(text, context_.limits));
  return {};
}

// Depth first through indexes, the best entry first. Without a match the first index's answer
// stands: it is the one the user named.
Result<RawManifest> Resolver::find_manifest(Image& image) {
  struct Pending {
    Descriptor descriptor;
    int depth;
  };
  CL_TRY(RawManifest raw, reader_.root());
  std::vector<Pending> pending;
  std::optional<Error> no_match;
  int depth = 0;
  for (int visits = 0;; ++visits) {
    CL_TRY(const DocumentIdentity identity, reader_.keep(raw));
    if (!identity.index) return raw;
    if (depth == kMaxIndexDepth)
      return Error::limit(cat("image indexes are nested deeper than ", kMaxIndexDepth, " levels"));
    if (visits == kMaxIndexVisits)
      return Error::limit(cat("the image is behind more than ", kMaxIndexVisits, " indexes"));
    if (!image.index_digest) image.index_digest = raw.descriptor.digest;
    CL_TRY(const ImageIndex index, parse_image_index(raw.text, context_.limits));
    auto candidates = platform_candidates(index, context_.platform);
    if (candidates.has_value()) {
      for (auto it = candidates->rbegin(); it != candidates->rend(); ++it)
        pending.push_back({*it, depth + 1});
    } else if (!no_match) {
      no_match = std::move(candidates).error();
    }
    if (pending.empty()) return std::move(*no_match);
    depth = pending.back().depth;
    CL_TRY(raw, reader_.document(pending.back().descriptor));
    pending.pop_back();
  }
}

Result<Image> Resolver::resolve() {
  CL_CHECK(context_.cancel.check());
  Image image;
  image.name = ref_.str();
  CL_TRY(RawManifest raw, find_manifest(image));
  CL_TRY(image.manifest, parse_image_manifest(raw.text, context_.limits));
  image.manifest.media_type = raw.descriptor.media_type;
  image.manifest_descriptor = raw.descriptor;
  image.manifest_text = std::move(raw.text);
  CL_CHECK(check_is_image(image.manifest));
  CL_CHECK(read_config(image).while_("reading the image configuration"));
  CL_CHECK(check_platform(image.config, context_.platform));
  CL_CHECK(check_layers(image.manifest, context_.limits));
  CL_CHECK(check_diff_ids(image));
  return image;
}

}  // namespace

Result<Image> resolve_image(const ImageRef& ref, ImageTransport& transport, Store& store,
                            const FetchContext& context) {
  static constexpr Advice kAdvice{
      "the image's documents are damaged: make or copy the image anew",
      "such an image is outside of what cloister accepts (base/limits.h); make a smaller one",
      "name another image, or make this one anew with a current tool"};
  return advise(Resolver(ref, transport, store, context).resolve(), kAdvice)
      .while_(cat("resolving ", quote(ref.str())));
}

}  // namespace cloister::oci
