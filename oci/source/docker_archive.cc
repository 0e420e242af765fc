// docker-archive:FILE[:REF|:@N|@DIGEST]: what docker save, podman save and skopeo write.
//
// Such an archive has a configuration and layers, but no image manifest. One is made here, always
// the same for the same image: an OCI manifest over the configuration as it is and the layers as
// they lie there. A layer is an uncompressed tar as a rule; then its digest is its diffID
// (application/vnd.oci.image.layer.v1.tar), nothing is compressed anew, and what is derived from
// the image does not depend on some compressor. A compressed layer (Docker with the containerd
// store) keeps its compression and the digest that its name says, or that reading it tells.
//
// The digest of the made manifest is what identifies the image. It is not the digest that a
// registry had for it: docker save does not keep that one.
#include "oci/source/docker_archive.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/path.h"
#include "base/text.h"
#include "oci/documents/docker_archive.h"
#include "oci/documents/image.h"
#include "oci/source/named_layout.h"
#include "oci/source/open.h"

namespace cloister::oci {
namespace {

struct MadeImage {
  RawManifest manifest;
  std::map<Digest, std::string> members;  // configuration and layers
};

// "blobs/sha256/HEX", "HEX.json", "HEX.tar": what a name says of its content.
std::optional<Digest> digest_in_name(std::string_view member) {
  std::string_view name = base_name(member);
  for (const std::string_view suffix : {".json", ".tar", ".tar.gz"})
    if (name.ends_with(suffix)) {
      name.remove_suffix(suffix.size());
      break;
    }
  auto digest = Digest::parse(cat("sha256:", name));
  return digest.has_value() ? std::optional(*digest) : std::nullopt;
}

std::string_view layer_type(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return media_type::kOciLayerGzip;
    case Compression::zstd:
      return media_type::kOciLayerZstd;
    case Compression::none:
      break;
  }
  return media_type::kOciLayer;
}

class DockerArchiveTransport final : public ImageTransport {
 public:
  DockerArchiveTransport(const ImageRef& ref, std::shared_ptr<const ArchiveMembers> members,
                         std::vector<DockerArchiveImage> images, std::string where,
                         const Limits& limits)
      : ref_(ref),
        members_(std::move(members)),
        images_(std::move(images)),
        where_(std::move(where)),
        limits_(limits) {}

  Result<RawManifest> root() override {
    CL_TRY(const MadeImage* image, chosen());
    return image->manifest;
  }

  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    CL_TRY(const MadeImage* image, chosen());
    if (image->manifest.descriptor.digest != descriptor.digest)
      return missing_blob(descriptor, where_);
    return image->manifest;
  }

  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    CL_TRY(const MadeImage* image, chosen());
    const auto it = image->members.find(descriptor.digest);
    if (it == image->members.end()) return missing_blob(descriptor, where_);
    return members_->open(it->second);
  }

 private:
  Result<const MadeImage*> chosen();
  Result<MadeImage> choose_image() const;
  Result<MadeImage> make(const DockerArchiveImage& image) const;
  Result<Descriptor> layer(const std::string& member, const Digest& diff_id) const;

  const ImageRef ref_;
  const std::shared_ptr<const ArchiveMembers> members_;
  const std::vector<DockerArchiveImage> images_;
  const std::string where_;
  const Limits limits_;
  std::mutex mutex_;
  std::optional<MadeImage> made_;
};

Result<const MadeImage*> DockerArchiveTransport::chosen() {
  const std::lock_guard lock(mutex_);
  if (!made_) {
    CL_TRY(MadeImage image, choose_image().while_(cat("reading ", quote(where_))));
    made_ = std::move(image);
  }
  return &*made_;
}

Result<MadeImage> DockerArchiveTransport::choose_image() const {
  if (!ref_.digest) {
    CL_TRY(const std::size_t i, choose_docker_image(images_, ref_.tag, where_));
    return make(images_[i]);
  }
  for (const DockerArchiveImage& image : images_) {
    CL_TRY(MadeImage made, make(image));
    if (made.manifest.descriptor.digest == *ref_.digest) return made;
  }
  return Error::not_found(cat("there is no image ", ref_.digest->str(), " in ", quote(where_)))
      .detail("an image in a docker-archive has the digest that cloister pull prints for it")
      .hint("name it by its tag, or by its position: docker-archive:FILE:@0");
}

Result<MadeImage> DockerArchiveTransport::make(const DockerArchiveImage& image) const {
  if (!members_->contains(image.config))
    return Error::corrupt(cat("its configuration ", quote(image.config), " is missing"))
        .hint("the archive is incomplete; save the image again");
  CL_TRY(const std::string text, read_member(*members_, image.config, limits_.config_bytes));
  CL_TRY(const ImageConfig config,
         parse_image_config(text, limits_).while_("reading the image configuration"));
  MadeImage out;
  const Digest config_digest = sha256(text);
  const auto named = digest_in_name(image.config);
  if (named && *named != config_digest)
    return Error::corrupt(cat("its configuration ", quote(image.config), " has other content"))
        .detail(cat("got ", config_digest.str()))
        .hint("the archive is damaged; save the image again");
  out.members[config_digest] = image.config;
  if (image.layers.size() != config.diff_ids.size())
    return Error::corrupt("the configuration does not fit the layers")
        .detail(
            cat("got ", config.diff_ids.size(), " diff_ids for ", image.layers.size(), " layers"))
        .hint("the archive is damaged; save the image again");
  std::vector<Descriptor> layers;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    CL_TRY(Descriptor descriptor,
           layer(image.layers[i], config.diff_ids[i])
               .while_(cat("finding layer ", i + 1, " of ", image.layers.size())));
    out.members[descriptor.digest] = image.layers[i];
    layers.push_back(std::move(descriptor));
  }
  out.manifest = make_manifest(text, std::move(layers));
  return out;
}

Result<Descriptor> DockerArchiveTransport::layer(const std::string& member,
                                                 const Digest& diff_id) const {
  const auto info = members_->find(member);
  if (!info)
    return Error::corrupt(cat("the layer ", quote(member), " is not in the archive"))
        .hint("the archive is incomplete; save the image again");
  Descriptor out;
  out.media_type = layer_type(info->content);
  out.size = info->size;
  out.digest = diff_id;
  if (info->content == Compression::none) return out;
  if (const auto named = digest_in_name(member); named && member.starts_with("blobs/sha256/")) {
    out.digest = *named;  // verified when it is copied, as every blob is
    return out;
  }
  CL_TRY(auto source, members_->open(member));
  Sha256 hasher;
  HashSource hashed(*source, hasher);
  CL_TRY(const std::uint64_t size, drain(hashed));
  if (size != out.size) return Error::corrupt(cat(quote(where_), " changed while it was read"));
  out.digest = hasher.finish();
  return out;
}

}  // namespace

RawManifest make_manifest(std::string_view config, std::vector<Descriptor> layers) {
  ImageManifest manifest;
  manifest.media_type = media_type::kOciManifest;
  manifest.config = describe(media_type::kOciConfig, config);
  manifest.layers = std::move(layers);
  RawManifest out;
  out.text = write_image_manifest(manifest);
  out.descriptor = describe(manifest.media_type, out.text);
  return out;
}

Result<std::unique_ptr<ImageTransport>> make_docker_archive_transport(
    const ImageRef& ref, std::shared_ptr<const ArchiveMembers> members, std::string where,
    const Limits& limits) {
  if (!members->contains("manifest.json")) {
    if (members->contains("index.json"))
      return Error::invalid(cat(quote(where), " is an OCI archive, not a docker-archive"))
          .hint(cat("write oci-archive:", printable(where)));
    return Error::invalid(cat(quote(where), " is no docker-archive"))
        .detail("there is no manifest.json in it")
        .hint("name a file made by docker save, podman save or skopeo copy … docker-archive:FILE");
  }
  CL_TRY(const std::string text, read_member(*members, "manifest.json", limits.manifest_bytes));
  CL_TRY(auto images, parse_docker_archive(text, limits).while_(cat("reading ", quote(where))));
  return std::make_unique<DockerArchiveTransport>(ref, std::move(members), std::move(images),
                                                  std::move(where), limits);
}

Result<std::unique_ptr<ImageTransport>> open_docker_archive(const ImageRef& ref,
                                                            const Limits& limits) {
  CL_CHECK(check_archive_file(ref.path, "name the file that docker save wrote"));
  CL_TRY(auto members,
         ArchiveMembers::scan(ref.path, limits).while_(cat("opening ", quote(ref.path))));
  return make_docker_archive_transport(ref, std::move(members), ref.path, limits);
}

}  // namespace cloister::oci
