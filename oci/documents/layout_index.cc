// The index is edited as ordered JSON rather than written anew, because other tools keep members in
// it that we do not model, and their entries must survive ours.
#include "oci/documents/layout_index.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "base/text.h"
#include "oci/documents/cosign_layout.h"

namespace cloister::oci {
namespace {

std::string_view ref_name(const Descriptor& entry) {
  const auto it = entry.annotations.find(std::string(kRefName));
  return it == entry.annotations.end() ? std::string_view() : std::string_view(it->second);
}

OrderedJson entry_for(std::string_view name, const Descriptor& manifest) {
  OrderedJson entry = {{"mediaType", manifest.media_type},
                       {"digest", manifest.digest.str()},
                       {"size", manifest.size}};
  if (!manifest.artifact_type.empty()) entry["artifactType"] = manifest.artifact_type;
  if (!name.empty()) entry["annotations"][std::string(kRefName)] = std::string(name);
  return entry;
}

}  // namespace

std::string list_ref_names(const ImageIndex& index, std::size_t max) {
  std::vector<std::string> names;
  for (const Descriptor& entry : index.manifests)
    if (!ref_name(entry).empty()) names.push_back(quote(ref_name(entry).substr(0, 100)));
  std::sort(names.begin(), names.end());
  const std::size_t more = names.size() > max ? names.size() - max : 0;
  names.resize(names.size() - more);
  std::string out = join(names, ", ");
  if (more > 0) out += cat(" and ", more, " more");
  return out;
}

std::optional<std::string> nearest_ref_name(const ImageIndex& index, std::string_view name) {
  std::optional<std::string> best;
  Nearest near(name);
  for (const Descriptor& entry : index.manifests)
    if (const auto found = entry.annotations.find(std::string(kRefName));
        found != entry.annotations.end() && near.offer(found->second))
      best = found->second;
  return best;
}

const Descriptor* find_ref_name(const ImageIndex& index, std::string_view name) {
  for (const Descriptor& entry : index.manifests)
    if (ref_name(entry) == name) return &entry;
  return nullptr;
}

Result<std::string> with_ref_name(std::string_view text, std::string_view name,
                                  const Descriptor& manifest, const Limits& limits) {
  OrderedJson json = {{"schemaVersion", 2},
                      {"mediaType", std::string(media_type::kOciIndex)},
                      {"manifests", OrderedJson::array()}};
  ImageIndex index;
  if (!text.empty()) {
    // Parsed twice: the typed reading proves the shape that the edit below relies on.
    CL_TRY(index, parse_image_index(text, limits));
    CL_TRY(json, parse_ordered_json(text, limits, "the image index"));
  }
  OrderedJson kept = OrderedJson::array();
  bool present = false;
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    const Descriptor& entry = index.manifests[i];
    if (!name.empty() && ref_name(entry) == name) continue;
    present =
        present || (name.empty() && ref_name(entry).empty() && entry.digest == manifest.digest);
    kept.push_back(std::move(json["manifests"][i]));
  }
  if (!present) kept.push_back(entry_for(name, manifest));
  if (kept.size() > limits.index_manifests)
    return Error::limit(cat("the layout holds ", limits.index_manifests,
                            " images; there is no room for more"))
        .hint("remove images that are not needed, or use another directory");
  json["manifests"] = std::move(kept);
  return dump_json_pretty(json) + "\n";
}

Result<std::string> with_ref_names(std::string_view text, const std::vector<NamedManifest>& names,
                                   const Limits& limits) {
  std::string changed(text);
  for (const auto& [name, manifest] : names) {
    CL_TRY(changed, with_ref_name(changed, name, manifest, limits));
  }
  return mark_for_cosign(changed, limits);
}

Result<std::string> without_entries(std::string_view text,
                                    const std::vector<std::size_t>& positions,
                                    const Limits& limits) {
  CL_TRY(const ImageIndex index, parse_image_index(text, limits));
  CL_TRY(OrderedJson json, parse_ordered_json(text, limits, "the image index"));
  OrderedJson kept = OrderedJson::array();
  for (std::size_t i = 0; i < index.manifests.size(); ++i)
    if (!std::binary_search(positions.begin(), positions.end(), i))
      kept.push_back(std::move(json["manifests"][i]));
  json["manifests"] = std::move(kept);
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::oci
