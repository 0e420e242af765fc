// An image that can be had from several places: mirrors first, then its own registry.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "oci/registry/client.h"
#include "oci/registry/registries_conf.h"

namespace cloister::oci {

using OpenPullSource = std::function<Result<std::shared_ptr<RegistryClient>>(const PullSource&)>;

// Places are opened when they are first needed. One that fails, for whatever reason but an
// interrupt, gives way to the next, and is not asked again before the others; so does one whose
// blob was not what its digest says, or could not be read to its end. When all fail, the error is
// that of the last of `sources`, the image's own registry, with a line for each mirror. REQUIRES:
// sources is not empty.
std::unique_ptr<ImageTransport> make_mirrored_transport(std::vector<PullSource> sources,
                                                        OpenPullSource open);

}  // namespace cloister::oci
