// Requests to a registry: authorised, redirects followed, tried again where that is safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/http/client.h"
#include "base/limits.h"
#include "oci/registry/client.h"

namespace cloister::oci {

// Gives requests their Authorization header. Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // The header's value, or empty for none.
  virtual Result<std::string> authorization() = 0;
  // After `refusal` (a 401) of a request that carried `used`: true when there is a new value now.
  virtual Result<bool> renew(const std::string& used, const http::Response& refusal) = 0;
};

struct Answer {
  http::Response response;                   // body filled unless streamed
  std::unique_ptr<http::BodyStream> stream;  // a streamed 2xx answer only
};

// Thread-safe. Redirects are followed for GET and HEAD only, at most ten, never from https to http;
// the Authorization header stays behind when the origin changes and does not come back. Requests
// with a streamed body are sent once; all others are tried again after connection trouble and
// temporary statuses (POST too: it only opens an upload or asks for a token).
class Exchange {
 public:
  Exchange(http::Client& client, const Limits& limits, const RetryPolicy& retry, CancelToken cancel)
      : client_(client), limits_(limits), retry_(retry), cancel_(cancel) {}

  // The body of a success may have `max_body` bytes; without a value it is streamed. The header is
  // sent to the origin of request.url.
  Result<Answer> run(const http::Request& request, std::optional<std::uint64_t> max_body,
                     const std::string& authorization) const;
  // Asks the authorizer for the header, provided that request.url has the origin `home`; one 401
  // is answered by renewing.
  Result<Answer> run(const http::Request& request, std::optional<std::uint64_t> max_body,
                     Authorizer& authorizer, const std::string& home) const;

 private:
  Result<Answer> once(const http::Request& request, std::optional<std::uint64_t> max_body) const;
  Result<Answer> redirected(http::Request request, std::optional<std::uint64_t> max_body,
                            const std::string& authorization) const;
  Result<Answer> retried(const http::Request& request, std::optional<std::uint64_t> max_body,
                         const std::string& authorization) const;

  http::Client& client_;
  const Limits& limits_;
  const RetryPolicy& retry_;
  CancelToken cancel_;
};

// The Location of an answer to a request for `base`, absolute. Refuses the step from https to http.
Result<http::Url> location_of(const http::Response& response, const http::Url& base);

}  // namespace cloister::oci
