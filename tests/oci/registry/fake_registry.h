// A registry in memory that follows the distribution specification until told to misbehave.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "oci/documents/descriptor.h"
#include "tests/base/http_server.h"

namespace cloister::oci {

// Changes some answers. `apply` gets the request and the right answer.
struct Fault {
  std::string method;         // empty: any
  std::string path_contains;  // empty: any
  int times = -1;             // how often; -1: always
  std::function<Reply(const Received&, Reply)> apply;
  bool instead = false;  // the request has no effect, and there is no right answer
  bool meets(const Received& request) const {
    return times != 0 && (method.empty() || method == request.method) &&
           request.path.find(path_contains) != std::string::npos;
  }
};

class FakeRegistry {
 public:
  enum class Auth { none, basic, bearer };

  // Options to be set before the first request.
  Auth auth = Auth::none;
  std::string username = "user", password = "pass:word";  // basic; token server
  std::string identity_token;     // accepted by the token server when not empty
  bool oauth_post = true;         // the token server knows POST
  bool anonymous_tokens = false;  // it gives tokens for pull to everybody
  std::string refused_scope;      // it denies a request that asks for this
  int token_lifetime = 300;
  bool mounts = true;
  bool referrers = false;               // it has the referrers API (distribution-spec 1.1)
  bool ranges = true;                   // of blobs
  bool upload_status = true;            // GET of an upload says how far it is
  std::size_t largest_body = SIZE_MAX;  // more in one PATCH is 413
  std::uint64_t least_chunk = 0;        // OCI-Chunk-Min-Length
  std::string realm;                    // default: this server's /token

  explicit FakeRegistry(const TlsIdentity* tls = nullptr);

  // Contents.
  Descriptor add_blob(const std::string& repository, const std::string& content);
  Descriptor add_manifest(const std::string& repository, const std::string& tag,
                          const std::string& text,
                          std::string_view type = media_type::kOciManifest);
  bool has_blob(const std::string& repository, const Digest& digest) const;
  std::string manifest(const std::string& repository, const std::string& reference) const;

  void inject(Fault fault);
  // As if of all that an upload has received only so much had arrived. To be called from a fault.
  void truncate_upload(const std::string& id, std::size_t size);
  // From now on tokens given before are refused.
  void revoke_tokens();

  HttpServer& server() { return server_; }
  std::string name() const { return server_.authority(); }
  // How often such a request was answered.
  int count(const std::string& method, const std::string& path_contains) const;
  std::vector<Received> requests(const std::string& method, const std::string& path_contains) const;

 private:
  struct Repository {
    std::map<std::string, std::string> blobs;                              // by digest text
    std::map<std::string, std::pair<std::string, std::string>> manifests;  // type, text
  };
  struct Upload {
    std::string repository, content;
    int state = 0;  // what the query of the next Location must say
  };

  Reply answer(const Received& request);
  Reply right_answer(const Received& request);
  Reply token(const Received& request);
  Reply give_token(const std::string& scopes);
  bool may(const Received& request, const std::string& repository) const;
  Reply challenge(const std::string& scope) const;
  Reply serve_manifest(const Received& request, Repository& repository,
                       const std::string& reference);
  static Reply serve_referrers(const Repository& repository, const std::string& digest);
  Reply serve_blob(const Received& request, Repository& repository, const std::string& digest);
  Reply start_upload(const Received& request, const std::string& name);
  Reply continue_upload(const Received& request, const std::string& id);
  Reply upload_location(const std::string& id, int status) const;

  mutable std::mutex mutex_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, Upload> uploads_;
  std::map<std::string, std::string> tokens_;  // token: its scopes
  std::vector<Fault> faults_;
  int serial_ = 0;
  HttpServer server_;  // last: its threads use what is above
};

// "errors" as the specification has them.
Reply error_reply(int status, const std::string& code, const std::string& message);
// The value of `name` in a query or form, percent-decoded; values repeated are joined by blanks.
std::string query_value(const std::string& query, const std::string& name);

}  // namespace cloister::oci
