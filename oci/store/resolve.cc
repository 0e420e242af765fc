// From a reference to an image: root document, indexes by platform, manifest, configuration.
//
// Every document is compared with its digest, put into the store, and only then parsed. What the
// store already holds under a digest is not asked for again.
#include "base/hint.h"
#include "base/text.h"
#include "oci/store/store.h"

namespace cloister::oci {
namespace {

constexpr int kMaxIndexDepth = 3;  // an index in an index in an index

class Resolver {
 public:
  Resolver(const ImageRef& ref, ImageTransport& transport, Store& store,
           const FetchContext& context)
      : ref_(ref), transport_(transport), store_(store), context_(context) {}

  Result<Image> resolve();

 private:
  Result<RawManifest> root();
  Result<RawManifest> document(const Descriptor& descriptor);
  std::optional<std::string> stored(const Descriptor& descriptor, std::uint64_t max) const;
  std::optional<RawManifest> stored_root(const Digest& digest) const;
  Status keep(RawManifest& raw, const DocumentIdentity& identity);
  Status read_config(Image& image);

  const ImageRef& ref_;
  ImageTransport& transport_;
  Store& store_;
  const FetchContext& context_;
};

const std::optional<Digest>& wanted_digest(const ImageRef& ref) {
  return ref.transport == Transport::registry ? ref.registry.digest : ref.digest;
}

// The transports verify too; this is where it is relied on.
Status verify(const RawManifest& raw, const Digest& want) {
  const Digest got = sha256(raw.text);
  if (got == want) return {};
  return Error::corrupt("the image manifest does not match its digest")
      .detail(cat("got ", got.str(), " after ", raw.text.size(), " bytes, want ", want.str()))
      .hint("something between you and the source changed the bytes; do not trust this copy");
}

Error unreadable_layer(const Descriptor& layer, std::size_t i, std::size_t count) {
  const std::string_view type = layer.media_type;
  std::string_view why = "cloister reads tar layers, plain or compressed by gzip or zstd";
  std::string_view hint = "ask for another build of the image";
  if (type.find("foreign") != std::string_view::npos ||
      type.find("nondistributable") != std::string_view::npos) {
    why = "a foreign layer is not in the registry (Windows base images have them)";
  } else if (type.ends_with("+encrypted")) {
    why = "the layer is encrypted";
    hint = "decrypt the image first, for example with skopeo copy --decryption-key";
  }
  return Error::unsupported(
             cat("layer ", i + 1, " of ", count, " is of type ", quote(type.substr(0, 200))))
      .detail(std::string(why))
      .hint(std::string(hint));
}

Status check_layers(const ImageManifest& manifest, const Limits& limits) {
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    if (!layer_compression(layer.media_type))
      return unreadable_layer(layer, i, manifest.layers.size());
    if (layer.size > limits.blob_bytes)
      return Error::limit(cat("layer ", i + 1, " of ", manifest.layers.size(),
                              " is larger than the limit of ", human_bytes(limits.blob_bytes)));
  }
  return {};
}

// A Helm chart, a signature or a Wasm module is an OCI manifest as well.
Status check_is_image(const ImageManifest& manifest) {
  const std::string_view type = manifest.config.media_type;
  if (type.empty() || type == media_type::kOciConfig || type == media_type::kDockerConfig)
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

// The bytes of a blob that the store holds intact.
std::optional<std::string> Resolver::stored(const Descriptor& descriptor, std::uint64_t max) const {
  if (!store_.has_blob(descriptor.digest, descriptor.size)) return std::nullopt;
  const auto bytes = store_.read_blob(descriptor, max);
  if (!bytes.has_value()) return std::nullopt;
  return std::string(as_text(*bytes));
}

// A digest alone does not tell the size; the file does, and the hash tells the truth.
std::optional<RawManifest> Resolver::stored_root(const Digest& digest) const {
  std::error_code error;
  RawManifest raw;
  raw.descriptor.digest = digest;
  raw.descriptor.size = fs::file_size(store_.blob_path(digest), error);
  if (error) return std::nullopt;
  auto text = stored(raw.descriptor, context_.limits.manifest_bytes);
  if (!text) return std::nullopt;
  raw.text = std::move(*text);
  return raw;
}

Result<RawManifest> Resolver::root() {
  const std::optional<Digest>& want = wanted_digest(ref_);
  if (want) {
    if (auto raw = stored_root(*want)) return std::move(*raw);
  }
  CL_TRY(RawManifest raw, transport_.root());
  CL_CHECK(verify(raw, want ? *want : raw.descriptor.digest));
  return raw;
}

Result<RawManifest> Resolver::document(const Descriptor& descriptor) {
  if (descriptor.size > context_.limits.manifest_bytes)
    return Error::limit(cat("the image manifest is larger than the limit of ",
                            human_bytes(context_.limits.manifest_bytes)))
        .detail(cat("got ", descriptor.size, " bytes"));
  if (auto text = stored(descriptor, context_.limits.manifest_bytes))
    return RawManifest{descriptor, std::move(*text)};
  CL_TRY(RawManifest raw, transport_.manifest(descriptor));
  CL_CHECK(verify(raw, descriptor.digest));
  raw.descriptor.media_type = descriptor.media_type;
  return raw;
}

// Into the store, and its descriptor made true.
Status Resolver::keep(RawManifest& raw, const DocumentIdentity& identity) {
  CL_TRY(raw.descriptor, store_.put_bytes(identity.media_type, as_bytes(raw.text)));
  return {};
}

Status Resolver::read_config(Image& image) {
  const Descriptor& config = image.manifest.config;
  const std::uint64_t max = context_.limits.config_bytes;
  if (config.size > max)
    return Error::limit(
               cat("the image configuration is larger than the limit of ", human_bytes(max)))
        .detail(cat("got ", config.size, " bytes"));
  auto text = stored(config, max);
  if (!text) {
    CL_TRY(auto source, transport_.blob(config));
    CL_CHECK(store_.put_blob(config, *source, {}, context_.cancel));
    CL_TRY(const Bytes bytes, store_.read_blob(config, max));
    text = as_text(bytes);
  }
  CL_TRY(image.config, parse_image_config(*text, context_.limits));
  return {};
}

Result<Image> Resolver::resolve() {
  CL_CHECK(context_.cancel.check());
  Image image;
  image.name = ref_.str();
  CL_TRY(RawManifest raw, root());
  for (int depth = 0;; ++depth) {
    CL_TRY(const DocumentIdentity identity,
           identify_document(raw.text, raw.descriptor.media_type, context_.limits));
    CL_CHECK(keep(raw, identity));
    if (!identity.index) break;
    if (depth == kMaxIndexDepth)
      return Error::limit(cat("image indexes are nested deeper than ", kMaxIndexDepth, " levels"));
    if (!image.index_digest) image.index_digest = raw.descriptor.digest;
    CL_TRY(const ImageIndex index, parse_image_index(raw.text, context_.limits));
    CL_TRY(const Descriptor chosen, select_platform(index, context_.platform));
    CL_TRY(raw, document(chosen));
  }
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
