// Blobs on their way from a registry (distribution-spec, "Pulling blobs").
#pragma once

#include <memory>

#include "oci/registry/connection.h"

namespace cloister::oci {

// The bytes from `offset` on, as they come. A connection that breaks is opened again with a Range
// from where it broke; a registry without ranges sends everything, and what is known is dropped.
// Breaks without any progress end it after the retry policy's connection_tries.
Result<std::unique_ptr<Source>> download_blob(std::shared_ptr<Connection> connection,
                                              const Descriptor& descriptor, std::uint64_t offset);

}  // namespace cloister::oci
