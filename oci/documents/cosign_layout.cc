// The annotations are those of cosign's pkg/oci/layout, as its versions 2 and 3 write them. An
// index (of platforms) is told from an image; `cosign load` looks for an index first.
#include "oci/documents/cosign_layout.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/text.h"
#include "oci/documents/attached.h"
#include "oci/documents/layout_index.h"

namespace cloister::oci {
namespace {

constexpr const char* kKind = "kind";
constexpr std::string_view kImageKind = "dev.cosignproject.cosign/image",
                           kIndexKind = "dev.cosignproject.cosign/imageIndex";
struct AttachmentKind {
  std::string_view kind, suffix;
};
constexpr AttachmentKind kAttachmentKinds[] = {
    {"dev.cosignproject.cosign/sigs", kSignatureSuffix},
    {"dev.cosignproject.cosign/atts", kAttestationSuffix},
};

std::string_view annotation_of(const Descriptor& entry, std::string_view name) {
  const auto it = entry.annotations.find(std::string(name));
  return it == entry.annotations.end() ? std::string_view() : std::string_view(it->second);
}

bool is_image_kind(std::string_view kind) {
  return kind == kImageKind || kind == kIndexKind;
}

const AttachmentKind* attachment_kind(std::string_view kind) {
  for (const AttachmentKind& known : kAttachmentKinds)
    if (known.kind == kind) return &known;
  return nullptr;
}

bool is_marked(const Descriptor& entry) {
  const std::string_view kind = annotation_of(entry, kKind);
  return is_image_kind(kind) || attachment_kind(kind) != nullptr;
}

// The kind of an entry if `subject` is the image that cosign shall see, or nothing.
std::string_view kind_beside(const Descriptor& entry, const Digest& subject) {
  for (const AttachmentKind& known : kAttachmentKinds)
    if (annotation_of(entry, kRefName) == cosign_tag(subject, known.suffix)) return known.kind;
  if (entry.digest != subject) return {};
  return is_index(entry.media_type) ? kIndexKind : kImageKind;
}

std::optional<Digest> last_with_attachments(const ImageIndex& index) {
  std::unordered_set<std::string_view> tags;
  for (const Descriptor& entry : index.manifests)
    if (const auto name = annotation_of(entry, kRefName); is_attached_tag(name)) tags.insert(name);
  for (auto entry = index.manifests.rbegin(); entry != index.manifests.rend(); ++entry) {
    if (is_attached_tag(annotation_of(*entry, kRefName))) continue;
    for (const AttachmentKind& known : kAttachmentKinds)
      if (tags.count(cosign_tag(entry->digest, known.suffix)) > 0) return entry->digest;
  }
  return std::nullopt;
}

}  // namespace

bool is_cosign_attachment(const Descriptor& entry) {
  return attachment_kind(annotation_of(entry, kKind)) != nullptr;
}

std::vector<CosignAttachment> cosign_attachments(const ImageIndex& index, const Digest& subject) {
  std::vector<CosignAttachment> out;
  bool ours = false;
  for (const Descriptor& entry : index.manifests) {
    const std::string_view kind = annotation_of(entry, kKind);
    if (!annotation_of(entry, kRefName).empty()) continue;
    if (is_image_kind(kind)) ours = entry.digest == subject;
    const AttachmentKind* known = attachment_kind(kind);
    if (known == nullptr || !ours) continue;
    out.push_back({entry, cosign_tag(subject, known->suffix)});
    out.back().descriptor.annotations.clear();
  }
  return out;
}

Result<std::string> mark_for_cosign(std::string_view text, const Limits& limits) {
  // Parsed twice: the typed reading proves the shape that the edit below relies on.
  CL_TRY(const ImageIndex index, parse_image_index(text, limits));
  const auto subject = last_with_attachments(index);
  if (!subject) return std::string(text);
  for (const Descriptor& entry : index.manifests)
    if (is_marked(entry) && annotation_of(entry, kRefName).empty() && entry.digest != *subject)
      return std::string(text);
  CL_TRY(OrderedJson json, parse_ordered_json(text, limits, "the image index"));
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    OrderedJson& entry = json["manifests"][i];
    const std::string_view kind = kind_beside(index.manifests[i], *subject);
    if (!kind.empty()) {
      if (!entry["annotations"].is_object()) entry["annotations"] = OrderedJson::object();
      entry["annotations"][kKind] = std::string(kind);
    } else if (is_marked(index.manifests[i])) {
      entry["annotations"].erase(kKind);
    }
  }
  return dump_json_pretty(json) + "\n";
}

}  // namespace cloister::oci
