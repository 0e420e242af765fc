// oci-archive:FILE: a layout in a tar file.
#include "base/text.h"
#include "oci/source/archive_members.h"
#include "oci/source/named_layout.h"
#include "oci/source/open.h"

namespace cloister::oci {
namespace {

Error no_layout_in_archive(const ArchiveMembers& members, const std::string& file) {
  if (members.contains("manifest.json"))
    return Error::invalid(
               cat(quote(file), " is a docker-archive (docker save), not an OCI archive"))
        .hint(cat("write docker-archive:", printable(file)));
  return Error::invalid(cat(quote(file), " holds no OCI image layout"))
      .detail("there is no index.json in it")
      .hint("name a file made by skopeo copy … oci-archive:FILE or by buildx --output type=oci");
}

}  // namespace

Result<std::unique_ptr<ImageTransport>> open_archive(const ImageRef& ref, const Limits& limits) {
  CL_CHECK(check_archive_file(ref.path,
                              cat("for a layout in a directory write oci:", printable(ref.path))));
  const std::string doing = cat("opening ", quote(ref.path));
  CL_TRY(auto members, ArchiveMembers::scan(ref.path, limits).while_(doing));
  if (!members->contains("index.json")) return no_layout_in_archive(*members, ref.path);
  if (members->contains("oci-layout")) {
    CL_TRY(const std::string version,
           read_member(*members, "oci-layout", limits.manifest_bytes).while_(doing));
    CL_CHECK(check_layout_version(version, limits).while_(doing));
  }
  CL_TRY(std::string index,
         read_member(*members, "index.json", limits.manifest_bytes).while_(doing));
  BlobOpener open =
      [members, file = ref.path](const Descriptor& descriptor) -> Result<std::unique_ptr<Source>> {
    CL_TRY(auto source, members->open("blobs/sha256/" + descriptor.digest.hex()));
    if (source == nullptr) return missing_blob(descriptor, file);
    return source;
  };
  return make_layout_transport(ref, std::move(index), std::move(open), limits);
}

}  // namespace cloister::oci
