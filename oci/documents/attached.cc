#include "oci/documents/attached.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::oci {

std::string referrers_tag(const Digest& subject) {
  return "sha256-" + subject.hex();
}

std::string cosign_tag(const Digest& subject, std::string_view suffix) {
  return cat(referrers_tag(subject), suffix);
}

bool is_attached_tag(std::string_view tag) {
  constexpr std::string_view kPrefix = "sha256-";
  constexpr std::size_t kHex = 64;
  if (!tag.starts_with(kPrefix) || tag.size() < kPrefix.size() + kHex) return false;
  const auto digest = Digest::parse(cat("sha256:", tag.substr(kPrefix.size(), kHex)));
  const std::string_view suffix = tag.substr(kPrefix.size() + kHex);
  return digest.has_value() &&
         (suffix.empty() || std::find(std::begin(kCosignSuffixes), std::end(kCosignSuffixes),
                                      suffix) != std::end(kCosignSuffixes));
}

Result<std::optional<Digest>> subject_of(std::string_view manifest, const Limits& limits) {
  CL_TRY(const Json json, parse_json(manifest, limits, "the image manifest"));
  if (!json.is_object()) return Error::corrupt("the image manifest is not a JSON object");
  CL_TRY(const Json* subject, get_object(json, "subject"));
  if (subject == nullptr) return std::optional<Digest>();
  CL_TRY(const Descriptor descriptor, parse_descriptor(*subject).while_("reading subject"));
  return std::optional(descriptor.digest);
}

Result<Descriptor> referrer_entry(const Descriptor& descriptor, std::string_view manifest,
                                  const Limits& limits) {
  CL_TRY(const Json json, parse_json(manifest, limits, "the image manifest"));
  if (!json.is_object()) return Error::corrupt("the image manifest is not a JSON object");
  Descriptor entry = descriptor;
  CL_TRY(const auto type, get_string(json, "artifactType"));
  CL_TRY(const Json* config, get_object(json, "config"));
  if (type) {
    entry.artifact_type = *type;
  } else if (config != nullptr) {
    CL_TRY(auto config_type, get_string(*config, "mediaType"));
    entry.artifact_type = std::move(config_type).value_or("");
  }
  CL_TRY(entry.annotations, get_string_map(json, "annotations"));
  return entry;
}

Result<std::string> with_referrer(std::string_view text, const Descriptor& entry,
                                  const Limits& limits) {
  OrderedJson json = {{"schemaVersion", 2},
                      {"mediaType", std::string(media_type::kOciIndex)},
                      {"manifests", OrderedJson::array()}};
  if (!text.empty()) {
    // Parsed twice: the typed reading proves the shape that the edit below relies on.
    CL_TRY(const ImageIndex index, parse_image_index(text, limits));
    for (const Descriptor& listed : index.manifests)
      if (listed.digest == entry.digest) return std::string(text);
    if (index.manifests.size() >= limits.index_manifests)
      return Error::limit(cat("the image has ", limits.index_manifests,
                              " attached manifests; there is no room for more"));
    CL_TRY(json, parse_ordered_json(text, limits, "the index of referrers"));
    if (!json["manifests"].is_array()) json["manifests"] = OrderedJson::array();
  }
  OrderedJson added = {
      {"mediaType", entry.media_type}, {"digest", entry.digest.str()}, {"size", entry.size}};
  if (!entry.annotations.empty()) added["annotations"] = entry.annotations;
  if (!entry.artifact_type.empty()) added["artifactType"] = entry.artifact_type;
  json["manifests"].push_back(std::move(added));
  return dump_json(json);
}

std::string cosign_config(const std::vector<Descriptor>& layers) {
  OrderedJson diff_ids = OrderedJson::array();
  for (const Descriptor& layer : layers) diff_ids.push_back(layer.digest.str());
  OrderedJson json = OrderedJson::object();
  json["architecture"] = "";
  json["created"] = "0001-01-01T00:00:00Z";
  json["history"] =
      OrderedJson::array({OrderedJson::object({{"created", "0001-01-01T00:00:00Z"}})});
  json["os"] = "";
  json["rootfs"] = OrderedJson::object({{"type", "layers"}, {"diff_ids", std::move(diff_ids)}});
  json["config"] = OrderedJson::object();
  return dump_json(json);
}

std::string write_referrer(const Descriptor& layer, const Descriptor& subject,
                           const std::map<std::string, std::string>& annotations) {
  const auto plain = [](const Descriptor& d) {
    return OrderedJson::object(
        {{"mediaType", d.media_type}, {"digest", d.digest.str()}, {"size", d.size}});
  };
  OrderedJson json = OrderedJson::object();
  json["schemaVersion"] = 2;
  json["mediaType"] = std::string(media_type::kOciManifest);
  json["artifactType"] = layer.media_type;
  json["config"] = plain(describe(kEmptyMediaType, kEmptyContent));
  json["layers"] = OrderedJson::array({plain(layer)});
  json["subject"] = plain(subject);
  json["annotations"] = annotations;
  return dump_json(json);
}

}  // namespace cloister::oci
