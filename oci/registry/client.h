// A distribution-spec client: authentication, pull and push of one registry, on libcurl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "oci/source/transport.h"
#include "oci/documents/reference.h"

namespace cloister::oci {

// Credentials as found by cmd/ in the usual files, or none. Never printed.
struct Credentials {
  std::string username, password;  // basic, or for the token server
  std::string identity_token;      // OAuth2 refresh token (auths[].identitytoken)
  std::string registry_token;      // sent as bearer token as it is
  bool empty() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

struct RegistryOptions {
  bool plain_http = false;   // http:// for any host; loopback may fall back to http without it
  bool tls_verify = true;
  std::string user_agent;
  std::string ca_file;       // extra CA bundle, may be empty
  std::string mount_from;    // repository on the same registry whose blobs may be mounted: adds
                             // its pull scope to what a token is asked for; may be empty
};

enum class Access { pull, push };

// One repository (plus, for mounting, a second one on the same registry). Thread-safe.
class RegistryClient {
 public:
  static Result<std::shared_ptr<RegistryClient>> open(const RegistryRef& ref, Access access, Credentials credentials,
                                                      RegistryOptions options, const Limits& limits,
                                                      CancelToken cancel);
  virtual ~RegistryClient() = default;

  // GET /v2/<name>/manifests/<reference>, all four types accepted. The digest is computed from
  // the bytes and compared with a requested one.
  virtual Result<RawManifest> get_manifest(const std::string& reference) = 0;
  // HEAD: the descriptor, or nothing when absent.
  virtual Result<std::optional<Descriptor>> head_manifest(const std::string& reference) = 0;
  virtual Result<std::unique_ptr<Source>> get_blob(const Descriptor& descriptor) = 0;
  virtual Result<bool> has_blob(const Descriptor& descriptor) = 0;
  // Cross-repository mount; false when the registry started an upload instead (which is cancelled).
  virtual Result<bool> mount_blob(const Descriptor& descriptor, const std::string& from_repository) = 0;
  // POST, PATCH, PUT. `open` gives the content from its beginning; it is called again on a retry.
  virtual Status put_blob(const Descriptor& descriptor,
                          const std::function<Result<std::unique_ptr<Source>>()>& open,
                          const std::function<void(std::size_t)>& on_bytes) = 0;
  virtual Status put_manifest(const std::string& reference, const RawManifest& manifest) = 0;
};

std::unique_ptr<ImageTransport> make_registry_transport(std::shared_ptr<RegistryClient> client, RegistryRef ref);

}  // namespace cloister::oci
