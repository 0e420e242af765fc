// The images of a docker-archive as a transport, wherever its members lie.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "oci/source/archive_members.h"
#include "oci/source/transport.h"

namespace cloister::oci {

// `where` names the archive in messages; ref.tag and ref.digest choose among its images.
Result<std::unique_ptr<ImageTransport>> make_docker_archive_transport(
    const ImageRef& ref, std::shared_ptr<const ArchiveMembers> members, std::string where,
    const Limits& limits);

// The manifest that is made for an image without one: always the same for the same configuration
// and layers.
RawManifest make_manifest(std::string_view config, std::vector<Descriptor> layers);

}  // namespace cloister::oci
