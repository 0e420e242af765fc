// Order matters (distribution-spec, "Pushing Manifests"): a registry may refuse a manifest whose
// blobs it lacks, and a tag must never name an image that is not all there. So blobs go first, side
// by side, and the manifest, which moves the tag, goes last. For a blob the cheapest way wins:
// nothing to do, a mount inside the registry, and only then its bytes.
#include <functional>

#include "base/text.h"
#include "oci/write/destinations.h"

namespace cloister::oci {
namespace {

// How a blob got there, as progress reports it.
Result<std::string_view> push_blob(const ImageContent& image, const Descriptor& blob,
                                   RegistryClient& client, const std::string& mount_from,
                                   const std::function<void(std::size_t)>& on_bytes) {
  CL_TRY(const bool there, client.has_blob(blob));
  if (there) return std::string_view("already there");
  if (!mount_from.empty()) {
    CL_TRY(const bool mounted, client.mount_blob(blob, mount_from));
    if (mounted) return std::string_view("mounted");
  }
  CL_CHECK(client.put_blob(
      blob, [&] { return image.open(blob); }, on_bytes));
  return std::string_view("done");
}

Status push_others(const ImageContent& image, RegistryClient& client, const WriteContext& context) {
  for (const RawManifest& child : image.children) {
    CL_CHECK(context.cancel.check());
    CL_CHECK(client.put_manifest(child.descriptor.digest.str(), child));
  }
  for (const AttachedManifest& attached : image.attached) {
    CL_CHECK(context.cancel.check());
    CL_CHECK((attached.subject ? client.put_referrer(attached.manifest, *attached.subject)
                               : client.put_manifest(attached.tag, attached.manifest))
                 .while_("pushing what is attached to the image"));
  }
  return context.cancel.check();
}

}  // namespace

Status push_image(const ImageContent& image, RegistryClient& client, const std::string& reference,
                  const std::string& mount_from, const WriteContext& context) {
  // Not context.pool: waiting for a network is no work, and has its own number.
  ThreadPool transfers(context.parallel);
  Status written = transfers.for_each(image.blobs.size(), [&](std::size_t i) -> Status {
    CL_CHECK(context.cancel.check());
    const Descriptor& blob = image.blobs[i];
    const std::string id = blob.digest.hex().substr(0, 12);
    context.progress.start(id, "pushing", blob.size);
    auto outcome = push_blob(image, blob, client, mount_from,
                             [&](std::size_t n) { context.progress.advance(id, n); });
    context.progress.finish(id, outcome.has_value() ? *outcome : "failed");
    if (outcome.has_value()) return {};
    return std::move(outcome).error().while_(
        cat("pushing blob ", i + 1, " of ", image.blobs.size()));
  });
  if (!written.has_value()) return std::move(written).error();
  CL_CHECK(push_others(image, client, context));
  return client.put_manifest(reference.empty() ? image.manifest.descriptor.digest.str() : reference,
                             image.manifest);
}

}  // namespace cloister::oci
