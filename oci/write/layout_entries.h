// What an image and all that comes along with it look like in a layout.
#pragma once

#include <vector>

#include "oci/documents/layout_index.h"
#include "oci/write/destinations.h"

namespace cloister::oci {

// Children and attached manifests, which lie among the blobs.
std::vector<const RawManifest*> other_manifests(const ImageContent& image);
// The entries of index.json, the image's own last: it is what people look for at the end.
Result<std::vector<NamedManifest>> layout_entries(const ImageContent& image,
                                                  const std::string& name, const Limits& limits);

}  // namespace cloister::oci
