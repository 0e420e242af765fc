// Reads a virtual machine back from its artifact: what its files are, by their own bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/guest/guest_files.h"
#include "cmd/guest/guest_statement.h"
#include "cmd/predicates.h"
#include "cmd/session.h"
#include "sign/image/guest_checks.h"
#include "sign/image/nitro_checks.h"

namespace cloister::cmd {

struct GuestImage {
  std::vector<GuestBlob> files;
  GuestStatement stated;  // what the artifact says of itself
  std::string stated_text;
};

// Its measurement alone is fetched. REQUIRES: is_guest(image.manifest).
Result<GuestImage> read_guest_image(Session& session, const oci::ImageRef& ref,
                                    const oci::Image& image);

// All files, fetched, and measured again. What cannot be measured is in the evidence, with the
// reason. REQUIRES: guest.stated is of that hardware.
Result<sign::GuestEvidence> snp_evidence(Session& session, const oci::ImageRef& ref,
                                         const oci::Image& image, const GuestImage& guest);
Result<sign::NitroEvidence> nitro_evidence(Session& session, const oci::ImageRef& ref,
                                           const oci::Image& image, const GuestImage& guest);
// The same for either, as the answers to what can be asked of the files alone.
Result<std::vector<sign::Check>> check_guest_files(Session& session, const oci::ImageRef& ref,
                                                   const oci::Image& image, const GuestImage& guest,
                                                   const sign::GuestPins& pins);

// What it says of itself, and that its files say the same; a `policy` error where they do not.
Result<GuestImage> read_sound_guest(Session& session, const oci::ImageRef& ref,
                                    const oci::Image& image);
// What is stated about a guest by who signs it; `policy` likewise.
Result<std::vector<Predicate>> guest_predicates(Session& session, const oci::ImageRef& ref,
                                                const oci::Image& image);

// The files, under their titles, into `directory`, which is made when there is none. What stands
// there under these names is replaced.
Status write_guest_files(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                         const std::string& directory);

}  // namespace cloister::cmd
