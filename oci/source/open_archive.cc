// oci-archive:FILE: a layout in a tar file.
#include "base/file.h"
#include "base/text.h"
#include "oci/source/archive_members.h"
#include "oci/source/named_layout.h"
#include "oci/source/open.h"

namespace cloister::oci {
namespace {

Status check_is_file(const ImageRef& ref) {
  std::error_code error;
  const fs::path path(ref.path);
  if (!fs::exists(path, error))
    return Error::not_found(cat("there is no archive ", quote(ref.path)))
        .hint("check the path; what stands after a colon in it is taken for a tag");
  if (fs::is_directory(path, error))
    return Error::invalid(cat(quote(ref.path), " is a directory, not an archive"))
        .hint(cat("for a layout in a directory write oci:", printable(ref.path)));
  if (!fs::is_regular_file(path, error))
    return Error::invalid(cat(quote(ref.path), " is not a regular file"))
        .hint(
            "an archive is read at several places, which a pipe does not allow; write it to a file "
            "first");
  return {};
}

Error no_layout_in_archive(const ArchiveMembers& members, const std::string& file) {
  if (members.contains("manifest.json"))
    return Error::unsupported(
               cat(quote(file), " is a docker-archive (docker save), not an OCI archive"))
        .hint("convert it, for example with skopeo copy docker-archive:… oci-archive:…");
  return Error::invalid(cat(quote(file), " holds no OCI image layout"))
      .detail("there is no index.json in it")
      .hint("name a file made by skopeo copy … oci-archive:FILE or by buildx --output type=oci");
}

Result<std::string> read_member(const ArchiveMembers& members, const std::string& name,
                                const Limits& limits) {
  CL_TRY(auto source, members.open(name));
  CL_TRY(const Bytes bytes, read_all(*source, limits.manifest_bytes, quote(name)));
  return std::string(as_text(bytes));
}

}  // namespace

Result<std::unique_ptr<ImageTransport>> open_archive(const ImageRef& ref, const Limits& limits) {
  CL_CHECK(check_is_file(ref));
  const std::string doing = cat("opening ", quote(ref.path));
  CL_TRY(auto members, ArchiveMembers::scan(ref.path, limits).while_(doing));
  if (!members->contains("index.json")) return no_layout_in_archive(*members, ref.path);
  if (members->contains("oci-layout")) {
    CL_TRY(const std::string version, read_member(*members, "oci-layout", limits).while_(doing));
    CL_CHECK(check_layout_version(version, limits).while_(doing));
  }
  CL_TRY(std::string index, read_member(*members, "index.json", limits).while_(doing));
  BlobOpener open =
      [members, file = ref.path](const Descriptor& descriptor) -> Result<std::unique_ptr<Source>> {
    CL_TRY(auto source, members->open("blobs/sha256/" + descriptor.digest.hex()));
    if (source == nullptr) return missing_blob(descriptor, file);
    return source;
  };
  return make_layout_transport(ref, std::move(index), std::move(open), limits);
}

}  // namespace cloister::oci
