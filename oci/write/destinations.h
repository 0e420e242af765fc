// Where a built image goes: registry, layout directory, archive file. Order: blobs, then
// manifest, tag last.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "oci/documents/image.h"
#include "oci/documents/reference.h"
#include "oci/registry/client.h"
#include "oci/store/collect.h"
#include "oci/store/store.h"

namespace cloister::oci {

// An image whose blobs can all be opened: from the store, or from where the base came.
struct ImageContent {
  RawManifest manifest;
  std::vector<Descriptor> blobs;  // config and layers, in the order to be written; no duplicates
  std::function<Result<std::unique_ptr<Source>>(const Descriptor&)> open;
  // Of an index, each after its own children; and what is attached. Their blobs are in `blobs`.
  std::vector<RawManifest> children = {};
  std::vector<AttachedManifest> attached = {};
};

struct WriteContext {
  const Limits& limits;
  ThreadPool& pool;
  Progress& progress;
  CancelToken cancel;
  unsigned parallel = 4;  // blobs on their way to a registry at one time
};

// Everywhere: blobs first, then children, then what is attached, and the image's name last.
//
// HEAD before upload; blobs are mounted from `mount_from` (a repository on the same registry; may
// be empty) where possible. The manifest is put under its tag (or digest) last.
Status push_image(const ImageContent& image, RegistryClient& client, const std::string& reference,
                  const std::string& mount_from, const WriteContext& context);
// oci:DIR[:tag]: merges into an existing layout, blobs verified while written.
Status write_layout(const ImageContent& image, const std::string& directory, const std::string& tag,
                    const WriteContext& context);
// oci-archive:FILE[:tag]: one deterministic uncompressed tar; appears complete or not at all.
Status write_archive(const ImageContent& image, const std::string& file, const std::string& tag,
                     const WriteContext& context);
// docker-archive:FILE[:REF]: for docker load; layers inflated. `tag` is a full reference or empty.
Status write_docker_archive_file(const ImageContent& image, const std::string& file,
                                 const std::string& tag, const WriteContext& context);

}  // namespace cloister::oci
