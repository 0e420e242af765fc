// An image that a docker-archive or a daemon's export brought earlier, out of the store.
#pragma once

#include <memory>

#include "oci/store/store.h"

namespace cloister::oci {

// The image with this configuration, provided that the store holds it and all its layers as plain
// tars, as exports have them: then the manifest is the one that an export would give. Null
// otherwise. `store` must outlive the transport.
std::unique_ptr<ImageTransport> open_stored_export(const Store& store, const Digest& config,
                                                   const Limits& limits);

}  // namespace cloister::oci
