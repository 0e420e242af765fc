// HTTP over libcurl: one handle pool, connections reused, time-outs, no redirects followed here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"

namespace cloister::http {

struct Options {
  bool tls_verify = true;
  std::string ca_file;  // additional CA bundle (PEM); empty: the system's
  std::string user_agent;
  long connect_timeout_ms = 15'000;
  long low_speed_bytes = 1;     // a transfer slower than this for …
  long low_speed_seconds = 60;  // … this long is `unavailable`
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
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;  // empty when streamed
  std::string effective_url;
  std::optional<std::string> header(std::string_view lower_case_name) const;  // the first one
  std::vector<std::string> header_values(std::string_view lower_case_name) const;
};

// A response whose body is read as a stream; destroying it drops the connection if unread.
class BodyStream : public Source {
 public:
  virtual const Response& response() const = 0;
};

// Thread-safe. Errors: `unavailable` for connection and transfer trouble, `cancelled`, `limit`.
// A status code is never an error here.
class Client {
 public:
  static Result<std::unique_ptr<Client>> create(Options options, const Limits& limits,
                                                CancelToken cancel);
  virtual ~Client() = default;
  virtual Result<Response> send(const Request& request, std::uint64_t max_body) = 0;
  // Answers once the headers are there; the body is pulled by reading.
  virtual Result<std::unique_ptr<BodyStream>> open(const Request& request) = 0;
};

struct Url {
  std::string scheme, host, port, path, query;  // host lower case; IPv6 in brackets; path from '/'
  std::string origin() const;  // scheme://host:port with the default port made explicit
  std::string str() const;
};
std::optional<Url> parse_url(std::string_view text);
// RFC 3986 reference resolution, for Location headers.
std::optional<Url> resolve_url(const Url& base, std::string_view reference);
std::string url_encode(std::string_view text);

}  // namespace cloister::http
