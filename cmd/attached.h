// What lies beside an image: signatures and attestations under cosign's tags ("sha256-<hex>.sig",
// ".att"), and Sigstore bundles whose `subject` is the image. Anyone may have attached anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/session.h"
#include "sign/image/checks.h"

namespace cloister::cmd {

inline constexpr const char* kSignatureAnnotation = "dev.cosignproject.cosign/signature";
inline constexpr std::string_view kSimpleSigningMediaType =
    "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view kDsseMediaType = "application/vnd.dsse.envelope.v1+json";

// One artefact that we attach.
struct Artefact {
  oci::Descriptor descriptor;  // media type and annotations say what it is
  std::string text;            // the blob
};

struct AttachedEvidence {
  std::vector<sign::SignatureArtefact> signatures;
  std::vector<sign::DsseEnvelope> attestations, bundles;
  std::size_t unread = 0;                             // missing, damaged, or more than is looked at
  std::vector<sign::DsseEnvelope> envelopes() const;  // all of them
};

// What can be read of it; what cannot is somebody else's business.
Result<AttachedEvidence> read_attached(Session& session, const oci::ImageRef& ref,
                                       const Digest& image);

// `suffix` is one of oci/documents/attached.h. Adds one under the image's tag of that kind to what
// others attached, and looks again whether it is there: registries know no compare-and-swap.
// REQUIRES: a registry or a layout.
Status attach_under_tag(Session& session, const oci::ImageRef& ref, const Digest& image,
                        std::string_view suffix, const Artefact& artefact);
// Attaches a bundle as a manifest of its own that refers to `image`. REQUIRES: as above.
Status attach_bundle(Session& session, const oci::ImageRef& ref, const oci::RawManifest& image,
                     const std::string& bundle, std::string_view predicate_type);

}  // namespace cloister::cmd
