// Whether a registry lets somebody in, asked before credentials are kept.
#pragma once

#include <string>

#include "oci/registry/client.h"

namespace cloister::oci {

// `not_asked`: the registry lets everybody in, so nothing is known about the credentials.
enum class LoginAnswer { accepted, not_asked };

// GET /v2/ as these credentials say; a token server is asked for a token without any scope. Refused
// ones are `unauthorized`.
Result<LoginAnswer> check_login(const std::string& registry, Credentials credentials,
                                RegistryOptions options, const Limits& limits, CancelToken cancel);

}  // namespace cloister::oci
