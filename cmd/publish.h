// Writes an image whose blobs are in the store to a registry, a layout or an archive.
#pragma once

#include <string>

#include "cmd/session.h"
#include "oci/write/destinations.h"

namespace cloister::cmd {

// The content of an image that was fetched into the session's store.
Result<oci::ImageContent> content_in_store(Session& session, const oci::Image& image);
// `usage` for a place that images are not written to: a daemon, a digest, a position in an archive.
Status check_destination(const oci::ImageRef& to);
// Blobs first, manifest next, tag last. A registry reference by digest is refused: `usage`.
Status publish(Session& session, const oci::ImageContent& content, const oci::ImageRef& to,
               const std::string& mount_from);
// The repository to mount blobs from: `from`'s, when both are on one registry, else "".
std::string mountable_from(const oci::ImageRef& from, const oci::ImageRef& to);

}  // namespace cloister::cmd
