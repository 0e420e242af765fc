// What every `deploy` begins with.
#pragma once

#include <string>

#include "cmd/deploy/deployment.h"
#include "cmd/session.h"
#include "oci/documents/reference.h"

namespace cloister::cmd {

// `usage` for an image that hosts could not pull.
Result<oci::ImageRef> deployable_ref(const std::string& argument);
// Of an image that is ready for an enclave, with the layers that it takes to tell.
Result<Deployment> prepare_deployment(Session& session, const oci::ImageRef& ref);

}  // namespace cloister::cmd
