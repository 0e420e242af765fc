// Blobs on their way to a registry (distribution-spec, "Pushing a blob").
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "oci/registry/connection.h"

namespace cloister::oci {

using OpenContent = std::function<Result<std::unique_ptr<Source>>()>;

// Opens an upload, streams the content, closes it under its digest. After a failure that may pass
// it goes on where the registry says it is, or anew, as often as the connection's retry policy
// allows. `on_bytes` is told of each byte once.
Status upload_blob(Connection& connection, const Descriptor& descriptor, const OpenContent& open,
                   const std::function<void(std::size_t)>& on_bytes);

// True when the registry took the blob over from `from_repository`.
Result<bool> mount_blob(Connection& connection, const Descriptor& descriptor,
                        const std::string& from_repository);

// HEAD: whether the repository has it.
Result<bool> blob_exists(Connection& connection, const Descriptor& descriptor);

}  // namespace cloister::oci
