// Artefacts that belong to an image, under tags derived from its digest in the same repository or
// layout ("sha256-<hex>.sig", as cosign names them): one manifest, one layer per artefact.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/session.h"

namespace cloister::cmd {

inline constexpr std::string_view kSignatureSuffix = ".sig";
inline constexpr std::string_view kAttestationSuffix = ".att";

struct Attached {
  oci::Descriptor descriptor;  // media type and annotations say what it is
  std::string text;            // the blob, verified
};

// "sha256-<64 hex digits><suffix>".
std::string attachment_tag(const Digest& image, std::string_view suffix);

// Everything under the image's tag of that kind; empty when there is no such tag.
Result<std::vector<Attached>> read_attached(Session& session, const oci::ImageRef& ref,
                                            const Digest& image, std::string_view suffix);
// Adds one to what others attached, and looks again whether it is there: registries know no
// compare-and-swap. REQUIRES: a registry or a layout; nothing can be added to an archive.
Status attach(Session& session, const oci::ImageRef& ref, const Digest& image,
              std::string_view suffix, const Attached& artefact);

}  // namespace cloister::cmd
