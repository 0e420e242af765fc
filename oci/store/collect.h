// Everything that a copy of an image consists of, fetched into the store.
#pragma once

#include <string>
#include <vector>

#include "oci/store/store.h"

namespace cloister::oci {

// A signature, attestation, SBOM or other manifest that is attached to an image.
struct AttachedManifest {
  RawManifest manifest;
  std::string tag;                // cosign's; empty for a referrer
  std::optional<Digest> subject;  // of a referrer
};

struct CollectedImage {
  RawManifest root;                        // what the reference names: an image or an index
  std::vector<RawManifest> children;       // of indexes, each after its own children
  std::vector<AttachedManifest> attached;  // to the root and to children, and to each other
  std::vector<Descriptor> blobs;           // of all of them; no digest twice
};

// An index is taken with all its children, for whatever platform. With `attached` what the source
// knows to belong to any of the manifests comes along. A foreign layer is `unsupported`; more than
// 1024 manifests, or indexes nested deeper than three levels, are `limit`.
Result<CollectedImage> collect_image(const ImageRef& ref, ImageTransport& transport, Store& store,
                                     const FetchContext& context, bool attached);
// The same for one manifest of the source, by its digest.
Result<CollectedImage> collect_manifest(const ImageRef& ref, const Descriptor& manifest,
                                        ImageTransport& transport, Store& store,
                                        const FetchContext& context, bool attached);

}  // namespace cloister::oci
