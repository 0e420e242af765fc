// One repository on one registry: what the requests of a client share.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/http/client.h"
#include "base/limits.h"
#include "oci/documents/reference.h"
#include "oci/registry/authenticator.h"
#include "oci/registry/client.h"
#include "oci/registry/exchange.h"
#include "oci/registry/registry_error.h"

namespace cloister::oci {

// Thread-safe.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const RegistryRef& ref, Access access,
                                                  Credentials credentials, RegistryOptions options,
                                                  const Limits& limits, CancelToken cancel);

  // The URL of /v2/<repository>/<tail>.
  http::Url url(std::string_view tail) const;
  // The URL of /v2/, the greeting.
  http::Url root() const;
  // Sends with authorization. Without `max_body` a success is streamed.
  Result<Answer> send(const http::Request& request, std::optional<std::uint64_t> max_body);
  // registry_error with what this connection knows.
  Error refused(const http::Response& response, std::string_view what) const;

  // Whether a registry that has answered wanted to know who asks.
  bool asks_for_credentials() const { return authenticator_->asks(); }

  const RegistryRef& ref() const { return ref_; }
  const Limits& limits() const { return limits_; }
  const RetryPolicy& retry() const { return options_.retry; }
  CancelToken cancel() const { return cancel_; }

 private:
  Connection(const RegistryRef& ref, RegistryOptions options, const Limits& limits,
             CancelToken cancel, std::unique_ptr<http::Client> client);

  const RegistryRef ref_;
  const RegistryOptions options_;
  const Limits limits_;
  const CancelToken cancel_;
  const std::unique_ptr<http::Client> client_;
  const Exchange exchange_;
  http::Url base_;
  Asked asked_;
  std::unique_ptr<Authenticator> authenticator_;
};

// The answer's Docker-Content-Digest, where there is one, must be `want`.
Status check_content_digest(const http::Response& response, const Digest& want,
                            std::string_view what);

}  // namespace cloister::oci
