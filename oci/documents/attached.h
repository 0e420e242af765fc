// What belongs to an image without being part of it: signatures, attestations, SBOMs.
//
// Two conventions. cosign: tags beside the image, named after its digest ("sha256-HEX.sig", ".att",
// ".sbom"). OCI 1.1 (image-spec manifest.md, "subject"; distribution-spec, "Listing Referrers"): a
// manifest whose `subject` is the image; a registry without the referrers API keeps an index of
// them under the fallback tag "sha256-HEX".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci/documents/image.h"

namespace cloister::oci {

inline constexpr std::string_view kCosignSuffixes[] = {".sig", ".att", ".sbom"};

// "sha256-HEX".
std::string referrers_tag(const Digest& subject);
// A tag of either convention, of whatever image.
bool is_attached_tag(std::string_view tag);

// The `subject` of a manifest or index; nothing when it has none.
Result<std::optional<Digest>> subject_of(std::string_view manifest, const Limits& limits);
// How a list of referrers names this manifest: with its artifactType (or the media type of its
// config) and its annotations.
Result<Descriptor> referrer_entry(const Descriptor& descriptor, std::string_view manifest,
                                  const Limits& limits);
// The text of a fallback index in which `entry` is listed; an empty `text` is an empty index.
Result<std::string> with_referrer(std::string_view text, const Descriptor& entry,
                                  const Limits& limits);

}  // namespace cloister::oci
