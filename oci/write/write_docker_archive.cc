// docker-archive:FILE[:REF]: what docker load, podman load and skopeo read.
//
// Members: one uncompressed tar per distinct layer (DIFFID.tar), the configuration as it is
// (IMAGEID.json), manifest.json last. The image keeps its configuration, and so its image id and
// diffIDs; its manifest, and with it the digest it has in a registry, has no place in the format.
//
// A tar header needs the size of what follows, which a compressed layer does not tell: each layer
// is inflated twice, first to measure it and compare it with its diffID (side by side for all
// layers, before anything is written), then into the archive.
#include <map>
#include <optional>

#include "base/hint.h"
#include "base/inflate.h"
#include "base/text.h"
#include "oci/documents/docker_archive.h"
#include "oci/write/destinations.h"
#include "oci/write/tar_writer.h"

namespace cloister::oci {
namespace {

// A layer's tar, from the blob that holds it.
class TarOfLayer final : public Source {
 public:
  static Result<std::unique_ptr<TarOfLayer>> open(const ImageContent& image,
                                                  const Descriptor& layer,
                                                  const WriteContext& context) {
    const auto compression = layer_compression(layer.media_type);
    if (!compression)
      return Error::unsupported(cat("a docker-archive holds no layers of type ",
                                    quote(layer.media_type.substr(0, 200))))
          .hint("write to oci-archive:FILE, which holds any");
    CL_TRY(auto blob, image.open(layer));
    return std::unique_ptr<TarOfLayer>(new TarOfLayer(
        std::move(blob), *compression, most_inflated(layer.size, context.limits), context.cancel));
  }
  Result<std::size_t> read(std::span<std::byte> out) override {
    static constexpr Advice kAdvice{
        "", "if you trust the image, allow more with --max-layer-size and --max-ratio", ""};
    return advise(limited_.read(out), kAdvice);
  }

 private:
  TarOfLayer(std::unique_ptr<Source> blob, Compression compression, std::uint64_t most,
             CancelToken cancel)
      : blob_(std::move(blob)),
        metered_(
            *blob_, [](std::size_t) {}, cancel),
        inflated_(make_inflater(compression, metered_)),
        limited_(*inflated_, most, "the layer") {}
  std::unique_ptr<Source> blob_;
  MeterSource metered_;
  std::unique_ptr<Source> inflated_;
  LimitSource limited_;
};

class DockerArchiveWriter {
 public:
  DockerArchiveWriter(const ImageContent& image, const std::string& tag,
                      const WriteContext& context)
      : image_(image), tag_(tag), context_(context) {}

  Status measure();
  Status fill(TarWriter& tar) const;

 private:
  Status measure_layer(std::size_t i);
  Status add_layer(TarWriter& tar, const Descriptor& layer, const Digest& diff_id,
                   std::uint64_t size) const;
  Result<std::string> config_text() const;

  const ImageContent& image_;
  const std::string& tag_;
  const WriteContext& context_;
  ImageManifest manifest_;
  ImageConfig config_;
  std::string config_text_;
  std::vector<std::uint64_t> sizes_;  // of the tars
};

Result<std::string> DockerArchiveWriter::config_text() const {
  CL_TRY(auto source, image_.open(manifest_.config));
  CL_TRY(const Bytes bytes,
         read_all(*source, context_.limits.config_bytes, "the image configuration"));
  return std::string(as_text(bytes));
}

Status DockerArchiveWriter::measure() {
  CL_TRY(manifest_, parse_image_manifest(image_.manifest.text, context_.limits));
  CL_TRY(config_text_, config_text());
  CL_TRY(config_, parse_image_config(config_text_, context_.limits));
  if (config_.diff_ids.size() != manifest_.layers.size())
    return Error::corrupt("the image configuration does not fit the image manifest");
  sizes_.assign(manifest_.layers.size(), 0);
  return context_.pool.for_each(sizes_.size(), [&](std::size_t i) {
    return measure_layer(i).while_(cat("inflating layer ", i + 1, " of ", sizes_.size()));
  });
}

Status DockerArchiveWriter::measure_layer(std::size_t i) {
  CL_TRY(auto tar, TarOfLayer::open(image_, manifest_.layers[i], context_));
  Sha256 hasher;
  HashSource hashed(*tar, hasher);
  CL_TRY(sizes_[i], drain(hashed));
  const Digest got = hasher.finish();
  if (got == config_.diff_ids[i]) return {};
  return Error::corrupt("the layer's content does not match its diffID")
      .detail(cat("got ", got.str(), ", want ", config_.diff_ids[i].str()))
      .hint("layer and image configuration do not belong together; do not trust this image");
}

Status DockerArchiveWriter::add_layer(TarWriter& tar, const Descriptor& layer,
                                      const Digest& diff_id, std::uint64_t size) const {
  const std::string id = layer.digest.hex().substr(0, 12);
  context_.progress.start(id, "writing", size);
  const auto copy = [&]() -> Status {
    CL_TRY(auto source, TarOfLayer::open(image_, layer, context_));
    MeterSource metered(
        *source, [&](std::size_t n) { context_.progress.advance(id, n); }, context_.cancel);
    VerifySource verified(metered, diff_id, size, cat("layer ", diff_id.str()));
    return tar.file(diff_id.hex() + ".tar", size, verified);
  };
  auto status = copy();
  context_.progress.finish(id, status.has_value() ? "done" : "failed");
  return status;
}

Status DockerArchiveWriter::fill(TarWriter& tar) const {
  DockerArchiveImage entry;
  std::map<Digest, bool> written;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const Digest& diff_id = config_.diff_ids[i];
    entry.layers.push_back(diff_id.hex() + ".tar");
    if (!written.emplace(diff_id, true).second) continue;
    CL_CHECK(add_layer(tar, manifest_.layers[i], diff_id, sizes_[i])
                 .while_(cat("writing layer ", i + 1, " of ", sizes_.size())));
  }
  entry.config = sha256(config_text_).hex() + ".json";
  CL_CHECK(tar.text(entry.config, config_text_));
  if (!tag_.empty()) entry.tags.push_back(tag_);
  CL_CHECK(tar.text("manifest.json", write_docker_archive({entry})));
  return context_.cancel.check();
}

}  // namespace

Status write_docker_archive_file(const ImageContent& image, const std::string& file,
                                 const std::string& tag, const WriteContext& context) {
  DockerArchiveWriter writer(image, tag, context);
  const std::string doing = cat("writing docker-archive:", printable(file));
  CL_CHECK(writer.measure().while_(doing));
  return write_tar_file(file, "name a file", [&](TarWriter& tar) { return writer.fill(tar); })
      .while_(doing);
}

}  // namespace cloister::oci
