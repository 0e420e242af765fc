// A distribution-spec client: authentication, pull and push of one registry, on libcurl.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/http/client.h"
#include "base/limits.h"
#include "oci/documents/reference.h"
#include "oci/source/transport.h"

namespace cloister::oci {

// Credentials as found by cmd/ in the usual files, or none. Never printed.
struct Credentials {
  std::string username, password;  // basic, or for the token server
  std::string identity_token;      // OAuth2 refresh token (auths[].identitytoken)
  std::string registry_token;      // sent as bearer token as it is
  bool empty() const {
    return username.empty() && identity_token.empty() && registry_token.empty();
  }
};

// How often, and after which pauses, a request that can be repeated is tried. Pauses double and are
// drawn at random between zero and the doubled value; a server's Retry-After is obeyed up to a cap.
struct RetryPolicy {
  unsigned connection_tries = 3;  // the connection failed or broke
  std::chrono::milliseconds connection_pause{250};
  unsigned answer_tries = 5;  // the server answered 408, 429, 500, 502, 503 or 504
  std::chrono::milliseconds answer_pause{1000};
  std::chrono::milliseconds longest_pause{60'000};
  unsigned most_breaks = 50;  // of one blob, if each stretch between them achieved something
  // What waits, and what draws from 0 to its argument; empty ones do so truly.
  std::function<Status(std::chrono::milliseconds)> sleep = {};
  std::function<std::chrono::milliseconds::rep(std::chrono::milliseconds::rep)> random = {};
};

// Seconds and bytes of http::Options, for the tests' sake.
struct TimeOuts {
  long connect_ms = 15'000;
  long low_speed_bytes = 1024;
  long low_speed_seconds = 60;
  long answer_ms = 180'000;
};

struct RegistryOptions {
  bool plain_http = false;  // http:// for any host; loopback may fall back to http without it
  bool tls_verify = true;
  std::string user_agent;
  std::string ca_file;  // extra CA bundle, may be empty
  // certs.d directories, the first that knows a host wins (certificates.h). The registry's CAs also
  // count for the hosts that it refers to; its client certificate is shown to itself alone.
  std::vector<std::string> certificate_directories;
  http::Proxies proxies;
  // Like plain_http on loopback: http where no TLS handshake is answered; nothing is verified. What
  // `insecure` of registries.conf says.
  bool insecure = false;
  TimeOuts time_outs;
  std::string mount_from;  // repository on the same registry whose blobs may be mounted: adds
                           // its pull scope to what a token is asked for; may be empty
  RetryPolicy retry;
};

enum class Access { pull, push };

// One repository (plus, for mounting, a second one on the same registry). Thread-safe.
//
// Errors: `unauthorized` (401, 403), `not_found` (404), `unavailable` (connection trouble, 408,
// 429, 5xx after the retries), `corrupt` (wrong digest, wrong size, not a manifest), `limit`,
// `cancelled`.
class RegistryClient {
 public:
  // https, or what plain_http and loopback allow: a registry on a loopback address speaks http
  // unless it answers a TLS handshake. No other host is ever spoken to in http unasked.
  static Result<std::shared_ptr<RegistryClient>> open(const RegistryRef& ref, Access access,
                                                      Credentials credentials,
                                                      RegistryOptions options, const Limits& limits,
                                                      CancelToken cancel);
  virtual ~RegistryClient() = default;

  // GET /v2/<name>/manifests/<reference>, all four types accepted. The digest is computed from
  // the bytes and compared with a requested one.
  virtual Result<RawManifest> get_manifest(const std::string& reference) = 0;
  // HEAD: the descriptor, or nothing when absent.
  virtual Result<std::optional<Descriptor>> head_manifest(const std::string& reference) = 0;
  // The bytes from `offset` on, NOT verified beyond their announced length. A connection that
  // breaks is opened again where it broke, as often as the retry policy says. REQUIRES: offset <
  // descriptor.size, or both are 0.
  virtual Result<std::unique_ptr<Source>> get_blob(const Descriptor& descriptor,
                                                   std::uint64_t offset = 0) = 0;
  virtual Result<bool> has_blob(const Descriptor& descriptor) = 0;
  // Cross-repository mount; false when the registry started an upload instead (which is cancelled).
  virtual Result<bool> mount_blob(const Descriptor& descriptor,
                                  const std::string& from_repository) = 0;
  // POST, PATCH, PUT. `open` gives the content from its beginning; it is called again to continue
  // an upload that broke. `on_bytes` is told of each byte once.
  virtual Status put_blob(const Descriptor& descriptor,
                          const std::function<Result<std::unique_ptr<Source>>()>& open,
                          const std::function<void(std::size_t)>& on_bytes) = 0;
  virtual Status put_manifest(const std::string& reference, const RawManifest& manifest) = 0;
  // Manifests whose subject is this one, and putting one; see oci/registry/referrers.h.
  virtual Result<std::vector<Descriptor>> referrers(const Digest& subject) = 0;
  virtual Status put_referrer(const RawManifest& manifest, const Digest& subject) = 0;
};

std::unique_ptr<ImageTransport> make_registry_transport(std::shared_ptr<RegistryClient> client,
                                                        RegistryRef ref);

}  // namespace cloister::oci
