// How a registry lets us in: nothing, Basic, or Bearer tokens from the server it names.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oci/registry/challenge.h"
#include "oci/registry/client.h"
#include "oci/registry/exchange.h"
#include "oci/registry/registry_error.h"

namespace cloister::oci {

// What the token shall allow: "repository:NAME:pull,push".
struct Scopes {
  std::vector<std::string> needed;
  std::string wished;  // for mounting; given up when the token server refuses it
};

// The first use asks GET /v2/ what the registry wants. One token is kept and shared by all threads;
// while one of them fetches it the others wait.
class Authenticator final : public Authorizer {
 public:
  // `base` is the registry's origin with path "/". `exchange` must outlive this.
  Authenticator(const Exchange& exchange, http::Url base, Asked asked, Credentials credentials,
                Scopes scopes, const Limits& limits);

  Result<std::string> authorization() override;
  Result<bool> renew(const std::string& used, const http::Response& refusal) override;
  // After a request: whether the registry wanted authorization.
  bool asks() const;

 private:
  using Clock = std::chrono::steady_clock;  // ages of tokens; never part of an output
  enum class Kind { unknown, none, basic, bearer, fixed };

  // All of these hold the lock.
  Status ping();
  Status adopt(const http::Response& refusal);
  Status fetch_token();
  Result<http::Response> ask_token_server(const http::Url& realm, const std::string& scope_wish);
  Result<http::Response> post_identity(const http::Url& realm,
                                       const std::vector<std::string>& scopes);
  Result<http::Response> get_token(const http::Url& realm, const std::vector<std::string>& scopes);
  Status accept_token(const http::Response& response);
  Result<http::Url> realm() const;
  std::string basic() const;
  std::string service() const;

  const Exchange& exchange_;
  const http::Url base_;
  const Asked asked_;
  Credentials credentials_;
  Scopes scopes_;
  const Limits& limits_;

  mutable std::mutex mutex_;
  Kind kind_ = Kind::unknown;
  Challenge challenge_;  // Kind::bearer
  std::string header_;
  Clock::time_point expires_{};
};

}  // namespace cloister::oci
