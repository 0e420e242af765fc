// Descriptors (image-spec descriptor.md) and the media types of OCI and Docker schema 2.
//
// Unknown members are ignored, as the specification asks. `size` is signed in JSON and in Go, and
// a negative one has been used to make readers allocate or loop: it is refused here, once.
#include "oci/documents/descriptor.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::oci {
namespace {

// containerd and BuildKit write it for Docker-typed images with zstd layers.
constexpr std::string_view kDockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

// The machine names of uname(2) that people type.
std::string_view go_architecture(std::string_view name) {
  if (name == "x86_64" || name == "x86-64") return "amd64";
  if (name == "aarch64") return "arm64";
  return name;
}

Result<std::optional<Platform>> parse_descriptor_platform(const Json& descriptor) {
  CL_TRY(const Json* object, get_object(descriptor, "platform"));
  if (object == nullptr) return std::optional<Platform>();
  Platform platform;
  CL_TRY(auto os, get_string(*object, "os"));
  CL_TRY(auto architecture, get_string(*object, "architecture"));
  CL_TRY(auto variant, get_string(*object, "variant"));
  platform.os = std::move(os).value_or("");
  platform.architecture = std::move(architecture).value_or("");
  platform.variant = std::move(variant).value_or("");
  return std::optional<Platform>(std::move(platform));
}

}  // namespace

bool is_index(std::string_view type) {
  return type == media_type::kOciIndex || type == media_type::kDockerManifestList;
}

bool is_image_manifest(std::string_view type) {
  return type == media_type::kOciManifest || type == media_type::kDockerManifest;
}

std::optional<Compression> layer_compression(std::string_view type) {
  if (type == media_type::kOciLayer || type == media_type::kDockerLayer) return Compression::none;
  if (type == media_type::kOciLayerGzip || type == media_type::kDockerLayerGzip)
    return Compression::gzip;
  if (type == media_type::kOciLayerZstd || type == kDockerLayerZstd) return Compression::zstd;
  return std::nullopt;
}

bool is_foreign_layer(std::string_view type) {
  return type.find(".foreign.") != std::string_view::npos ||
         type.find(".nondistributable.") != std::string_view::npos;
}

std::string Platform::str() const {
  std::string out =
      cat(os.empty() ? "unknown" : os, "/", architecture.empty() ? "unknown" : architecture);
  if (!variant.empty()) out += "/" + variant;
  return out;
}

Result<Platform> parse_platform(std::string_view text) {
  const auto parts = split(text, '/');
  bool ok = parts.size() == 2 || parts.size() == 3;
  for (std::string_view part : parts) {
    ok = ok && !part.empty() && part.size() <= 64;
    for (char c : part)
      ok = ok &&
           ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.');
  }
  if (!ok)
    return Error::usage(cat("not a platform: ", quote(text.substr(0, 100))))
        .hint("write OS/ARCHITECTURE[/VARIANT], for example linux/amd64");
  return Platform{std::string(parts[0]), std::string(go_architecture(parts[1])),
                  parts.size() == 3 ? std::string(parts[2]) : std::string()};
}

Result<Descriptor> parse_descriptor(const Json& json) {
  if (!json.is_object()) return Error::corrupt("a descriptor is not a JSON object");
  Descriptor out;
  CL_TRY(auto type, get_string(json, "mediaType"));
  out.media_type = std::move(type).value_or("");
  CL_TRY(auto digest, get_string(json, "digest"));
  if (!digest) return Error::corrupt("a descriptor has no digest");
  CL_TRY(out.digest, Digest::parse(*digest));
  CL_TRY(auto size, get_int(json, "size"));
  if (!size) return Error::corrupt(cat("the descriptor of ", *digest, " has no size"));
  if (*size < 0)
    return Error::corrupt(cat("the descriptor of ", *digest, " has a negative size: ", *size));
  out.size = static_cast<std::uint64_t>(*size);
  CL_TRY(out.platform, parse_descriptor_platform(json));
  CL_TRY(out.annotations, get_string_map(json, "annotations"));
  CL_TRY(auto artifact_type, get_string(json, "artifactType"));
  out.artifact_type = std::move(artifact_type).value_or("");
  return out;
}

Descriptor describe(std::string_view media_type, std::string_view content) {
  Descriptor out;
  out.media_type = media_type;
  out.digest = sha256(content);
  out.size = content.size();
  return out;
}

Json to_json(const Descriptor& descriptor) {
  Json out = {{"mediaType", descriptor.media_type},
              {"digest", descriptor.digest.str()},
              {"size", descriptor.size}};
  if (descriptor.platform) {
    Json platform = {{"os", descriptor.platform->os},
                     {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
    out["platform"] = std::move(platform);
  }
  if (!descriptor.annotations.empty()) out["annotations"] = descriptor.annotations;
  if (!descriptor.artifact_type.empty()) out["artifactType"] = descriptor.artifact_type;
  return out;
}

}  // namespace cloister::oci
