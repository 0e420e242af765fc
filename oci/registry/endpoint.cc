// The scheme is a security decision: a fall-back to http that an attacker could provoke would undo
// TLS. It exists for loopback alone, where nobody is in between, and rests on a handshake, not on a
// failed request: a loopback registry with a bad certificate is an error, not a reason for http.
// Registries that registries.conf calls insecure are treated likewise: the user has said so.
#include "oci/registry/endpoint.h"

#include "base/text.h"

namespace cloister::oci {

std::string registry_host(const std::string& registry) {
  return registry == "docker.io" || registry == "index.docker.io" ? "registry-1.docker.io"
                                                                  : registry;
}

Result<http::Url> registry_endpoint(const std::string& registry, const RegistryOptions& options,
                                    http::Client& client) {
  const std::string host = registry_host(registry);
  auto url = http::parse_url(cat(options.plain_http ? "http" : "https", "://", host, "/"));
  if (!url || url->path != "/" || !url->query.empty())
    return Error::usage(cat("not a registry: ", quote(registry)));
  const bool may_be_http = http::is_loopback(url->host) || options.insecure;
  if (options.plain_http || !may_be_http) return std::move(*url);
  CL_TRY(const bool tls, client.speaks_tls(*url));
  if (tls) return std::move(*url);
  url = http::parse_url(cat("http://", host, "/"));
  return std::move(*url);
}

}  // namespace cloister::oci
