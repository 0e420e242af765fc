// Image manifests and indexes: reading real-world documents, writing canonical ones.
//
// image-spec manifest.md, image-index.md; Docker "Image Manifest V 2, Schema 2". The two kinds are
// told apart before anything else is believed, because a document with members of both would be
// one image to us and another to the next tool (CVE-2021-41190).
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "oci/documents/image.h"

namespace cloister::oci {
namespace {

constexpr std::string_view kSchema1Prefix = "application/vnd.docker.distribution.manifest.v1+";

bool has(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && !it->is_null();
}

Error schema1() {
  return Error::unsupported(
             "the image has a Docker schema 1 manifest, a format without layer verification")
      .hint("ask for a newer build of the image, or push it again with a current tool");
}

Result<Json> parse_object(std::string_view text, const Limits& limits, std::string_view what) {
  if (text.size() > limits.manifest_bytes)
    return Error::limit(
               cat(what, " is larger than the limit of ", human_bytes(limits.manifest_bytes)))
        .detail(cat("got ", text.size(), " bytes"));
  CL_TRY(Json json, parse_json(text, limits, what));
  if (!json.is_object()) return Error::corrupt(cat(what, " is not a JSON object"));
  return json;
}

Status check_schema(const Json& json, std::string_view own_type) {
  CL_TRY(const auto version, get_int(json, "schemaVersion"));
  if (own_type.starts_with(kSchema1Prefix) || has(json, "fsLayers") || (version && *version == 1))
    return schema1();
  if (version && *version != 2)
    return Error::unsupported(cat("schemaVersion ", *version, " is not one cloister knows (2)"));
  return {};
}

Error contradiction(std::string_view got, std::string_view want) {
  return Error::corrupt("the document is not of the type it was announced as")
      .detail(cat("got ", quote(got), ", want ", quote(want)));
}

Result<DocumentIdentity> identify(const Json& json, std::string_view declared) {
  CL_TRY(const auto own, get_string(json, "mediaType"));
  CL_CHECK(check_schema(json, own ? std::string_view(*own) : declared));
  const bool like_manifest = has(json, "layers") || has(json, "config");
  // Go writes an empty index as "manifests": null.
  const bool like_index = has(json, "manifests") || (json.contains("manifests") && !like_manifest);
  if (like_index && like_manifest)
    return Error::corrupt("the document can be read both as an image manifest and as an index");
  const std::string_view type = own ? std::string_view(*own) : declared;
  if (own && !is_index(*own) && !is_image_manifest(*own))
    return Error::unsupported(
        cat("the document is of type ", quote(own->substr(0, 200)), ", which is no image"));
  const bool declared_known = is_index(declared) || is_image_manifest(declared);
  if (own && declared_known && is_index(*own) != is_index(declared))
    return contradiction(*own, declared);
  const bool typed = own || declared_known;
  const bool index = typed ? is_index(type) : like_index;
  if ((index && like_manifest) || (!index && like_index))
    return contradiction(like_index ? "an index" : "an image manifest", type);
  if (!like_index && !like_manifest)
    return Error::corrupt("the document is neither an image manifest nor an index")
        .detail("it has no \"config\", no \"layers\" and no \"manifests\"");
  if (typed) return DocumentIdentity{index, std::string(type)};
  if (index) return DocumentIdentity{true, std::string(media_type::kOciIndex)};
  const auto config = json.find("config");
  std::optional<std::string> config_type;
  if (config != json.end() && config->is_object()) {
    CL_TRY(config_type, get_string(*config, "mediaType"));
  }
  const bool docker = config_type == media_type::kDockerConfig;
  return DocumentIdentity{
      false, std::string(docker ? media_type::kDockerManifest : media_type::kOciManifest)};
}

Result<std::vector<Descriptor>> parse_descriptors(const Json& json, std::string_view key,
                                                  std::size_t max) {
  CL_TRY(const Json* array, get_array(json, key));
  if (array == nullptr && !json.contains(std::string(key)))
    return Error::corrupt(cat("there is no ", quote(key), " in the document"));
  if (array == nullptr) return std::vector<Descriptor>();
  if (array->size() > max)
    return Error::limit(cat("too many ", key))
        .detail(cat("got ", array->size(), ", at most ", max, " are accepted"));
  std::vector<Descriptor> out;
  out.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto descriptor = parse_descriptor((*array)[i]);
    if (!descriptor.has_value())
      return std::move(descriptor).error().while_(cat("reading ", key, "[", i, "]"));
    out.push_back(std::move(*descriptor));
  }
  return out;
}

OrderedJson ordered(const Descriptor& descriptor) {
  OrderedJson out = {{"mediaType", descriptor.media_type},
                     {"digest", descriptor.digest.str()},
                     {"size", descriptor.size}};
  if (!descriptor.annotations.empty()) out["annotations"] = descriptor.annotations;
  return out;
}

}  // namespace

Result<DocumentIdentity> identify_document(std::string_view text, std::string_view declared,
                                           const Limits& limits) {
  CL_TRY(const Json json, parse_object(text, limits, "the image manifest"));
  return identify(json, declared);
}

Result<ImageManifest> parse_image_manifest(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_object(text, limits, "the image manifest"));
  CL_TRY(DocumentIdentity identity, identify(json, ""));
  if (identity.index) return Error::corrupt("an index stands where an image manifest was expected");
  ImageManifest out;
  out.media_type = std::move(identity.media_type);
  CL_TRY(const Json* config, get_object(json, "config"));
  if (config == nullptr) return Error::corrupt("the image manifest names no config");
  CL_TRY(out.config, parse_descriptor(*config).while_("reading config"));
  CL_TRY(out.layers, parse_descriptors(json, "layers", limits.layers));
  CL_TRY(out.annotations, get_string_map(json, "annotations"));
  return out;
}

Result<ImageIndex> parse_image_index(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_object(text, limits, "the image index"));
  CL_TRY(DocumentIdentity identity, identify(json, ""));
  if (!identity.index)
    return Error::corrupt("an image manifest stands where an index was expected");
  ImageIndex out;
  out.media_type = std::move(identity.media_type);
  CL_TRY(out.manifests, parse_descriptors(json, "manifests", limits.index_manifests));
  CL_TRY(out.annotations, get_string_map(json, "annotations"));
  return out;
}

std::string write_image_manifest(const ImageManifest& manifest) {
  OrderedJson layers = OrderedJson::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(ordered(layer));
  OrderedJson out = {{"schemaVersion", 2},
                     {"mediaType", manifest.media_type},
                     {"config", ordered(manifest.config)},
                     {"layers", std::move(layers)}};
  if (!manifest.annotations.empty()) out["annotations"] = manifest.annotations;
  return dump_json(out);
}

}  // namespace cloister::oci
