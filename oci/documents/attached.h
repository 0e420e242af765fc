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

inline constexpr std::string_view kSignatureSuffix = ".sig", kAttestationSuffix = ".att",
                                  kSbomSuffix = ".sbom";
inline constexpr std::string_view kCosignSuffixes[] = {kSignatureSuffix, kAttestationSuffix,
                                                       kSbomSuffix};

// "sha256-HEX".
std::string referrers_tag(const Digest& subject);
// "sha256-HEX.sig": cosign's tag of that kind.
std::string cosign_tag(const Digest& subject, std::string_view suffix);
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

// What cosign writes as the configuration of the manifest under one of its tags, whose layers are
// the artefacts: an image configuration that says nothing.
std::string cosign_config(const std::vector<Descriptor>& layers);
// The one artefact `layer` as a manifest that refers to `subject` (image-spec manifest.md,
// "Guidelines for Artifact Usage"): its configuration is the empty one.
inline constexpr std::string_view kEmptyMediaType = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kEmptyContent = "{}";
std::string write_referrer(const Descriptor& layer, const Descriptor& subject,
                           const std::map<std::string, std::string>& annotations);

}  // namespace cloister::oci
