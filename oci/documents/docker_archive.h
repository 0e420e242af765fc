// manifest.json of a docker-archive (docker save, Docker Image Specification v1.2, "Combined Image
// JSON + Filesystem Changeset Format"): which member is which part of which image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace cloister::oci {

struct DockerArchiveImage {
  std::string config;               // member that holds the image configuration
  std::vector<std::string> tags;    // RepoTags as they came: "redis:7"; may be empty
  std::vector<std::string> layers;  // members, the lowest first: tar, as a rule uncompressed
};

// At most limits.index_manifests images of limits.layers layers each.
Result<std::vector<DockerArchiveImage>> parse_docker_archive(std::string_view text,
                                                             const Limits& limits);
std::string write_docker_archive(const std::vector<DockerArchiveImage>& images);

// The image that `tag` of an image argument names: "docker.io/library/redis:7", or "@N", the N-th
// (from 0). Without one there must be a single image. `file` is for messages. Answers its position.
Result<std::size_t> choose_docker_image(const std::vector<DockerArchiveImage>& images,
                                        const std::string& tag, const std::string& file);

}  // namespace cloister::oci
