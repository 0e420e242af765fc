// Where a registry is: the URL behind the name in a reference.
#pragma once

#include <string>

#include "base/http/client.h"
#include "base/result.h"
#include "oci/registry/client.h"

namespace cloister::oci {

// "docker.io" is served by another host than its name says.
std::string registry_host(const std::string& registry);

// scheme://host:port/ of the registry. Plain http only with options.plain_http, or, on loopback and
// with options.insecure, when the server there does not answer a TLS handshake (which is tried,
// except with plain_http).
Result<http::Url> registry_endpoint(const std::string& registry, const RegistryOptions& options,
                                    http::Client& client);

}  // namespace cloister::oci
