// Layouts as `cosign save` writes and `cosign load` reads them: one image, and its signatures and
// attestations told from it by the annotation `kind` of their entries in index.json, without names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/documents/image.h"

namespace cloister::oci {

// Whether an entry is cosign's and holds signatures or attestations, not an image.
bool is_cosign_attachment(const Descriptor& entry);

struct CosignAttachment {
  Descriptor descriptor;
  std::string tag;  // the one that cosign gives it in a registry
};
// The entries without a name that are attached to `subject`: those that follow it.
std::vector<CosignAttachment> cosign_attachments(const ImageIndex& index, const Digest& subject);

// The text of an index in which the last image that has signatures or attestations under cosign's
// tags bears the annotations too, and no other image that has a name: cosign takes the first image
// and the first signatures that it finds for a pair. Unchanged when entries without names bear
// them, which would lose what they belong to.
Result<std::string> mark_for_cosign(std::string_view text, const Limits& limits);

}  // namespace cloister::oci
