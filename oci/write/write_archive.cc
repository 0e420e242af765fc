// oci-archive:FILE[:tag]: a layout as one tar file, the same bytes for the same image.
//
// Members: oci-layout, the blobs by digest, index.json last.
#include <algorithm>

#include "base/text.h"
#include "oci/documents/layout_index.h"
#include "oci/write/destinations.h"
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

// The manifest among the blobs, all in the order of their names.
std::vector<Descriptor> sorted_blobs(const ImageContent& image) {
  std::vector<Descriptor> blobs = image.blobs;
  blobs.push_back(image.manifest.descriptor);
  const auto less = [](const Descriptor& a, const Descriptor& b) { return a.digest < b.digest; };
  const auto same = [](const Descriptor& a, const Descriptor& b) { return a.digest == b.digest; };
  std::sort(blobs.begin(), blobs.end(), less);
  blobs.erase(std::unique(blobs.begin(), blobs.end(), same), blobs.end());
  return blobs;
}

Status fill_archive(TarWriter& tar, const ImageContent& image, const std::string& tag,
                    const WriteContext& context) {
  CL_CHECK(tar.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  CL_CHECK(tar.directory("blobs/"));
  CL_CHECK(tar.directory("blobs/sha256/"));
  for (const Descriptor& blob : sorted_blobs(image)) {
    if (blob.digest == image.manifest.descriptor.digest) {
      CL_CHECK(tar.text("blobs/sha256/" + blob.digest.hex(), image.manifest.text));
    } else {
      CL_CHECK(add_blob(tar, image, blob, context));
    }
  }
  CL_TRY(const std::string index,
         with_ref_name("", tag, image.manifest.descriptor, context.limits));
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
