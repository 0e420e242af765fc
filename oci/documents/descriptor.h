// Descriptors and media types (image-spec descriptor.md, media-types.md; Docker schema 2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/inflate.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::oci {

namespace media_type {
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifestList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
// A virtual machine's parts (image-spec manifest.md, "Guidelines for Artifact Usage"): its config
// has the shape of an image's, its layers are files, each named by its title.
inline constexpr std::string_view kGuestConfig = "application/vnd.cloister.guest.config.v1+json";
inline constexpr std::string_view kGuestFilePrefix = "application/vnd.cloister.guest.";
}  // namespace media_type

bool is_index(std::string_view media_type);
bool is_image_manifest(std::string_view media_type);
// How a layer of this media type is compressed; nothing for a type that is no layer we read
// (foreign and non-distributable ones included).
std::optional<Compression> layer_compression(std::string_view media_type);
// A layer that is not meant to be handed on: it lies elsewhere, under URLs (Windows base images).
bool is_foreign_layer(std::string_view media_type);

struct Platform {
  std::string os, architecture, variant;
  std::string str() const;  // "linux/amd64", "linux/arm64/v8"
  bool operator==(const Platform&) const = default;
};
Result<Platform> parse_platform(std::string_view text);

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;  // bytes; a negative size in JSON is refused
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  std::string artifact_type = {};  // of a listed artifact (signature, SBOM), else empty
};

// The descriptor of content that we have.
Descriptor describe(std::string_view media_type, std::string_view content);
Result<Descriptor> parse_descriptor(const Json& json);
Json to_json(const Descriptor& descriptor);

}  // namespace cloister::oci
