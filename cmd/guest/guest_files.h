// The files that a virtual machine or an enclave of AWS Nitro is started from, as an OCI artifact:
// one manifest whose layers are the files as they are, each named by its title, so that any tool
// for artifacts gets them back. A label says for which hardware they are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "cmd/targets.h"
#include "oci/documents/image.h"

namespace cloister::cmd {

// A kind of file that a guest consists of.
enum class GuestFile {
  kernel,
  initrd,
  firmware,
  disk,
  command_line,  // text, without an end of line
  document,      // the guest document, which the initrd holds too
  measurement,   // JSON: the predicate that is attested
  id_block,
  id_auth,
  launch,   // a shell script that starts QEMU
  libvirt,  // a domain
  eif,      // of Nitro: kernel, command line and ramdisks in one
};

// "vmlinuz"; with several ID blocks they are numbered by processors: "id-block-2.bin".
std::string guest_file_title(GuestFile file, std::uint32_t vcpus = 0);

struct GuestBlob {
  GuestFile file;
  std::string title;
  Digest digest;
  std::uint64_t size = 0;  // bytes
};

oci::Descriptor guest_descriptor(const GuestBlob& blob);

struct GuestArtifact {
  oci::ImageManifest manifest;
  std::string manifest_text, config_text;
  oci::Descriptor manifest_descriptor, config_descriptor;
};

struct GuestConfigFacts {
  std::optional<Seconds> created;
  std::map<std::string, std::string> labels;
  Tee tee = Tee::snp;
};

// The config has the shape of an image's (its diff_ids are the files' digests), so that what reads
// labels and platform of images reads those of a guest.
GuestArtifact make_guest_artifact(const std::vector<GuestBlob>& blobs,
                                  const GuestConfigFacts& facts);

bool is_guest(const oci::ImageManifest& manifest);
// What the artifact is for, by its label. `unsupported` for what this version does not know.
// REQUIRES: is_guest(image.manifest).
Result<Tee> guest_tee(const oci::Image& image);
// The files of a guest, by their media types. `corrupt` when one that a guest for this hardware
// must have is missing, one comes twice or belongs to another, or a title is none of the names
// above.
Result<std::vector<GuestBlob>> guest_blobs(const oci::Image& image);
// Null when there is none.
const GuestBlob* find_blob(const std::vector<GuestBlob>& blobs, GuestFile file,
                           std::uint32_t vcpus = 0);

}  // namespace cloister::cmd
