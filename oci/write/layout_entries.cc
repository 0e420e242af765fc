// A referrer is listed without a name but with its artifactType, as in a registry's list; cosign's
// manifests under their tags. Children are reached through their index and need no entry.
#include "oci/write/layout_entries.h"

#include "oci/documents/attached.h"

namespace cloister::oci {

std::vector<const RawManifest*> other_manifests(const ImageContent& image) {
  std::vector<const RawManifest*> out;
  for (const RawManifest& child : image.children) out.push_back(&child);
  for (const AttachedManifest& attached : image.attached) out.push_back(&attached.manifest);
  return out;
}

Result<std::vector<NamedManifest>> layout_entries(const ImageContent& image,
                                                  const std::string& name, const Limits& limits) {
  std::vector<NamedManifest> out;
  for (const AttachedManifest& attached : image.attached) {
    if (!attached.subject) {
      out.push_back({attached.tag, attached.manifest.descriptor});
      continue;
    }
    CL_TRY(Descriptor entry,
           referrer_entry(attached.manifest.descriptor, attached.manifest.text, limits));
    entry.annotations.clear();
    out.push_back({"", std::move(entry)});
  }
  out.push_back({name, image.manifest.descriptor});
  return out;
}

}  // namespace cloister::oci
