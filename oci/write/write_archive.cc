// oci-archive:FILE[:tag]: a layout as one tar file, the same bytes for the same image.
//
// Members: oci-layout, the blobs by digest, index.json last.
#include <algorithm>

#include "base/text.h"
#include "oci/write/destinations.h"
#include "oci/write/layout_entries.h"
#include "oci/write/tar_writer.h"

namespace cloister::oci {
namespace {

Status add_blob(TarWriter& tar, const ImageContent& image, const Descriptor& blob,
                const WriteContext& context) {
  const std::string id = blob.digest.hex().substr(0, 12);
  context.progress.start(id, "writing", blob.size);
  const auto copy = [&]() -> Status {
    CL_TRY(auto source, image.open(blob));
    MeterSource metered(
        *source, [&](std::size_t n) { context.progress.advance(id, n); }, context.cancel);
    VerifySource verified(metered, blob.digest, blob.size, cat("blob ", blob.digest.str()));
    return tar.file("blobs/sha256/" + blob.digest.hex(), blob.size, verified);
  };
  auto status = copy();
  context.progress.finish(id, status.has_value() ? "done" : "failed");
  return status;
}

// A blob to be streamed, or a manifest whose text is at hand.
struct ArchiveBlob {
  Descriptor descriptor;
  const RawManifest* manifest;  // or null
};

// Manifests among the blobs, all in the order of their names.
std::vector<ArchiveBlob> sorted_blobs(const ImageContent& image) {
  std::vector<ArchiveBlob> blobs;
  blobs.push_back({image.manifest.descriptor, &image.manifest});
  for (const RawManifest* other : other_manifests(image))
    blobs.push_back({other->descriptor, other});
  for (const Descriptor& blob : image.blobs) blobs.push_back({blob, nullptr});
  const auto less = [](const ArchiveBlob& a, const ArchiveBlob& b) {
    return a.descriptor.digest < b.descriptor.digest;
  };
  const auto same = [](const ArchiveBlob& a, const ArchiveBlob& b) {
    return a.descriptor.digest == b.descriptor.digest;
  };
  std::stable_sort(blobs.begin(), blobs.end(), less);
  blobs.erase(std::unique(blobs.begin(), blobs.end(), same), blobs.end());
  return blobs;
}

Status fill_archive(TarWriter& tar, const ImageContent& image, const std::string& tag,
                    const WriteContext& context) {
  CL_CHECK(tar.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  CL_CHECK(tar.directory("blobs/"));
  CL_CHECK(tar.directory("blobs/sha256/"));
  for (const ArchiveBlob& blob : sorted_blobs(image)) {
    if (blob.manifest != nullptr) {
      CL_CHECK(tar.text("blobs/sha256/" + blob.descriptor.digest.hex(), blob.manifest->text));
    } else {
      CL_CHECK(add_blob(tar, image, blob.descriptor, context));
    }
  }
  CL_TRY(const auto entries, layout_entries(image, tag, context.limits));
  CL_TRY(const std::string index, with_ref_names("", entries, context.limits));
  CL_CHECK(tar.text("index.json", index));
  return context.cancel.check();
}

}  // namespace

Status write_archive(const ImageContent& image, const std::string& file, const std::string& tag,
                     const WriteContext& context) {
  return write_tar_file(file, cat("for a layout in a directory write oci:", printable(file)),
                        [&](TarWriter& tar) { return fill_archive(tar, image, tag, context); })
      .while_(cat("writing oci-archive:", printable(file)));
}

}  // namespace cloister::oci
