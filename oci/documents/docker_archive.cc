// Docker writes "RepoTags": null for an image without a name, and familiar names ("redis:7");
// skopeo writes full ones ("docker.io/library/redis:7"), Podman may write "localhost/app:latest".
// Names are compared after Docker's defaulting, which makes the first two one.
#include "oci/documents/docker_archive.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "oci/documents/reference.h"

namespace cloister::oci {
namespace {

constexpr std::size_t kMaxRepoTags = 1024;

Result<DockerArchiveImage> parse_docker_image(const Json& json, const Limits& limits) {
  if (!json.is_object()) return Error::corrupt("it is not a JSON object");
  DockerArchiveImage image;
  CL_TRY(auto config, get_string(json, "Config"));
  if (!config || config->empty()) return Error::corrupt("it names no Config");
  image.config = std::move(*config);
  CL_TRY(image.tags, get_strings(json, "RepoTags"));
  CL_TRY(image.layers, get_strings(json, "Layers"));
  if (image.layers.size() > limits.layers || image.tags.size() > kMaxRepoTags)
    return Error::limit(
               cat("it has ", image.layers.size(), " layers and ", image.tags.size(), " names"))
        .detail(cat("at most ", limits.layers, " and ", kMaxRepoTags, " are accepted"));
  return image;
}

// After Docker's defaulting; as it is when it is no reference.
std::string full_name(const std::string& tag) {
  const auto ref = parse_registry_ref(tag);
  return ref.has_value() ? ref->str() : tag;
}

std::string list_docker_images(const std::vector<DockerArchiveImage>& images) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < images.size() && i < kShown; ++i)
    names.push_back(cat("@", i, " ",
                        images[i].tags.empty() ? std::string("without a name")
                                               : quote(images[i].tags.front().substr(0, 200))));
  std::string out = join(names, ", ");
  if (images.size() > kShown) out += cat(" and ", images.size() - kShown, " more");
  return out;
}

}  // namespace

Result<std::vector<DockerArchiveImage>> parse_docker_archive(std::string_view text,
                                                             const Limits& limits) {
  constexpr std::string_view kWhat = "the manifest.json of the docker-archive";
  if (text.size() > limits.manifest_bytes)
    return Error::limit(
        cat(kWhat, " is larger than the limit of ", human_bytes(limits.manifest_bytes)));
  CL_TRY(const Json json, parse_json(text, limits, kWhat));
  if (!json.is_array()) return Error::corrupt(cat(kWhat, " is not a JSON array"));
  if (json.size() > limits.index_manifests)
    return Error::limit(cat(kWhat, " has ", json.size(), " images, at most ",
                            limits.index_manifests, " are accepted"));
  std::vector<DockerArchiveImage> images;
  images.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    CL_TRY(
        DockerArchiveImage image,
        parse_docker_image(json[i], limits).while_(cat("reading image ", i, " of manifest.json")));
    images.push_back(std::move(image));
  }
  return images;
}

std::string write_docker_archive(const std::vector<DockerArchiveImage>& images) {
  OrderedJson out = OrderedJson::array();
  for (const DockerArchiveImage& image : images) {
    OrderedJson tags = image.tags.empty() ? OrderedJson(nullptr) : OrderedJson(image.tags);
    out.push_back({{"Config", image.config}, {"RepoTags", tags}, {"Layers", image.layers}});
  }
  return dump_json(out);
}

Result<std::size_t> choose_docker_image(const std::vector<DockerArchiveImage>& images,
                                        const std::string& tag, const std::string& file) {
  const auto missing = [&]() {
    return Error::not_found(cat("there is no image ", quote(tag), " in ", quote(file)))
        .detail(images.empty() ? std::string("there is none at all")
                               : cat("there are: ", list_docker_images(images)))
        .hint("name one that exists, or its position: docker-archive:FILE:@0");
  };
  if (tag.empty()) {
    if (images.size() == 1) return std::size_t{0};
    if (images.empty())
      return Error::not_found(cat(quote(file), " holds no image"))
          .hint("name a file made by docker save, podman save or skopeo copy");
    return Error::usage(cat(quote(file), " holds ", images.size(), " images"))
        .detail(cat("there are: ", list_docker_images(images)))
        .hint(cat("say which: docker-archive:", printable(file), ":NAME, or :@0 for the first"));
  }
  if (tag.starts_with('@')) {
    const auto position = parse_u64(std::string_view(tag).substr(1));
    if (!position || *position >= images.size()) return missing();
    return static_cast<std::size_t>(*position);
  }
  for (std::size_t i = 0; i < images.size(); ++i)
    for (const std::string& name : images[i].tags)
      if (full_name(name) == tag) return i;
  return missing();
}

}  // namespace cloister::oci
