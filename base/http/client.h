// HTTP over libcurl: one handle pool, connections reused, time-outs, no redirects followed here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/http/url.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"

namespace cloister::http {

// As curl understands them: [scheme://][user:password@]host[:port], and a list of hosts, domains
// and networks that are spoken to directly. Loopback always is.
struct Proxies {
  std::string http, https;  // for http and https URLs; empty: none
  std::string no_proxy;
};

// What one host's TLS needs beyond the system's CAs.
struct HostTls {
  std::string ca_pem;              // more CAs, PEM
  std::string client_certificate;  // PEM files, both or none
  std::string client_key;
};

struct Options {
  bool tls_verify = true;
  std::string ca_file;  // additional CA bundle (PEM); empty: the system's
  // Asked before each https request (from any thread); empty: no host needs anything.
  std::function<Result<HostTls>(const Url&)> host_tls;
  Proxies proxies;
  std::string user_agent;
  std::string unix_socket;           // connect to it, whatever host a URL names; empty: by the URL
  long connect_timeout_ms = 15'000;  // name lookup, TCP and TLS together
  long low_speed_bytes = 1024;       // a transfer slower than this per second for …
  long low_speed_seconds = 60;       // … this long is `unavailable`; a silent one is as well
  long answer_timeout_ms = 180'000;  // a whole request that is neither streamed up nor down
};

struct Header {
  std::string name;   // lower case
  std::string value;  // trimmed
};

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  // A body: in memory, or streamed with its exact length.
  std::string body;
  Source* body_stream = nullptr;
  std::uint64_t body_size = 0;
  long patience_seconds = 0;  // longer than options.low_speed_seconds, for answers that take work
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;  // empty when streamed
  std::string effective_url;
  std::optional<std::string> header(std::string_view lower_case_name) const;  // the first one
  std::vector<std::string> header_values(std::string_view lower_case_name) const;
};

// A response whose body is read as a stream; destroying it drops the connection if unread. May
// outlive its client. Not thread-safe; each stream is independent of the others.
class BodyStream : public Source {
 public:
  virtual const Response& response() const = 0;
};

// Thread-safe. Errors: `unavailable` for connection and transfer trouble, `invalid` for a server
// whose certificate is not trusted, `cancelled` (within a second), `limit`, and whatever the
// request's body stream fails with. A status code is never an error here.
class Client {
 public:
  static Result<std::unique_ptr<Client>> create(Options options, const Limits& limits,
                                                CancelToken cancel);
  virtual ~Client() = default;
  // The body of a 2xx answer may have `max_body` bytes (`limit` beyond); that of any other is cut
  // at limits.error_body_bytes.
  virtual Result<Response> send(const Request& request, std::uint64_t max_body) = 0;
  // Answers once the headers are there; the body is pulled by reading.
  virtual Result<std::unique_ptr<BodyStream>> open(const Request& request) = 0;
  // Whether the server of this https URL answers a TLS handshake at all, whatever its certificate.
  // Nothing is sent but the handshake. A server that cannot be reached is an error; for one that
  // lets the handshake time out (five seconds) the answer is no.
  virtual Result<bool> speaks_tls(const Url& url) = 0;
};

}  // namespace cloister::http
