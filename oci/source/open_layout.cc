// oci:DIR: a layout in a directory, which belongs to somebody else and is only read.
//
// Everything in it may be hostile or in flux. A blob that is a pipe or a device would block or give
// what its descriptor did not promise, so only regular files (also behind symlinks) are opened.
#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "oci/source/named_layout.h"
#include "oci/source/open.h"

namespace cloister::oci {
namespace {

Error no_layout_at(const ImageRef& ref) {
  std::error_code error;
  const fs::path path(ref.path);
  if (fs::is_regular_file(path, error))
    return Error::invalid(cat(quote(ref.path), " is a file, not a directory"))
        .hint(cat("for a layout in a tar file write oci-archive:", printable(ref.path)));
  if (!ref.tag.empty() && fs::exists(cat(ref.path, ":", ref.tag), error))
    return Error::invalid(cat("there is no layout ", quote(ref.path)))
        .hint(
            "a path that holds a colon cannot be named: the tag begins at the first one; use a "
            "symlink");
  if (!fs::exists(path, error))
    return Error::not_found(cat("there is no layout ", quote(ref.path)))
        .hint(did_you_mean(
            nearest_path(path),
            "check the path; a layout is the directory that holds oci-layout and index.json"));
  return Error::invalid(cat(quote(ref.path), " is not an OCI image layout"))
      .detail("it has no oci-layout file")
      .hint("name a directory made by cloister, skopeo, umoci or buildah");
}

}  // namespace

Result<std::unique_ptr<ImageTransport>> open_layout(const ImageRef& ref, const Limits& limits) {
  const fs::path directory(ref.path);
  std::error_code error;
  if (!fs::is_regular_file(directory / "oci-layout", error)) return no_layout_at(ref);
  CL_TRY(const std::string version,
         read_text_file(directory / "oci-layout", limits.manifest_bytes));
  CL_CHECK(check_layout_version(version, limits).while_(cat("opening ", quote(ref.path))));
  if (!fs::is_regular_file(directory / "index.json", error))
    return Error::corrupt(cat(quote(ref.path), " has no index.json"))
        .hint("the layout is incomplete; make it again");
  CL_TRY(std::string index, read_text_file(directory / "index.json", limits.manifest_bytes));
  BlobOpener open = [directory](const Descriptor& descriptor) -> Result<std::unique_ptr<Source>> {
    const fs::path path = directory / "blobs" / "sha256" / descriptor.digest.hex();
    std::error_code failed;
    if (!fs::is_regular_file(path, failed)) return missing_blob(descriptor, directory.native());
    CL_TRY(auto file, FileSource::open(path));
    return std::unique_ptr<Source>(std::move(file));
  };
  return make_layout_transport(ref, std::move(index), std::move(open), limits);
}

}  // namespace cloister::oci
