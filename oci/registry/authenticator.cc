// distribution-spec's companion "token.md" and "oauth.md", with what clients learnt since:
// GET realm?service=…&scope=…&scope=… with Basic credentials if there are any; an identity token is
// instead posted as an OAuth2 refresh token, and where that is 404 the GET is used after all. The
// token comes as `token` or `access_token`; without `expires_in` it lives 60 seconds. A later 401
// may name the scope that was missing.
//
// Where credentials go: to the registry, and to the realm it names. The realm may be on another
// host (Docker's Hub has auth.docker.io): the credentials were kept for this registry, so a
// registry that gives them away gives away its own. It must be https, unless the registry itself is
// spoken to in http; and a registry on loopback, where http needs no permission, may then only name
// a realm on loopback. Never along a redirect, and never into a message.
#include "oci/registry/authenticator.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kDefaultLifetime = 60;  // seconds; also the least that is believed
constexpr std::int64_t kLongestLifetime = 86400;
constexpr std::size_t kLongestToken = 64 << 10;  // it is a header of every request
constexpr seconds kRenewBefore{10};              // a token this close to its end is not used

// RFC 6750 §2.1: b64token. Anything else could break out of the header.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != ',';
  });
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  for (const Challenge& challenge : challenges)
    if (challenge.scheme == scheme) return &challenge;
  return nullptr;
}

std::vector<Challenge> all_challenges(const http::Response& response) {
  std::vector<Challenge> out;
  for (const std::string& value : response.header_values("www-authenticate")) {
    auto some = parse_challenges(value);
    std::move(some.begin(), some.end(), std::back_inserter(out));
  }
  return out;
}

void append_query(http::Url& url, std::string_view name, std::string_view value) {
  url.query += cat(url.query.empty() ? "" : "&", name, "=", http::url_encode(value));
}

bool is_denied(const http::Response& response) {
  return response.status == 401 || response.status == 403;
}

}  // namespace

Authenticator::Authenticator(const Exchange& exchange, http::Url base, Asked asked,
                             Credentials credentials, Scopes scopes, const Limits& limits)
    : exchange_(exchange),
      base_(std::move(base)),
      asked_(std::move(asked)),
      credentials_(std::move(credentials)),
      scopes_(std::move(scopes)),
      limits_(limits) {}

std::string Authenticator::basic() const {
  if (credentials_.username.empty()) return {};
  return cat("Basic ", base64(as_bytes(cat(credentials_.username, ":", credentials_.password))));
}

Result<std::string> Authenticator::authorization() {
  std::lock_guard lock(mutex_);
  if (kind_ == Kind::unknown) CL_CHECK(ping());
  if (kind_ == Kind::bearer && Clock::now() >= expires_) CL_CHECK(fetch_token());
  return header_;
}

Result<bool> Authenticator::renew(const std::string& used, const http::Response& refusal) {
  std::lock_guard lock(mutex_);
  if (header_ != used) return true;  // another thread was faster
  if (kind_ == Kind::fixed) return false;
  CL_CHECK(adopt(refusal));
  if (kind_ == Kind::bearer) CL_CHECK(fetch_token());
  return header_ != used;
}

bool Authenticator::asks() const {
  std::lock_guard lock(mutex_);
  return kind_ != Kind::unknown && kind_ != Kind::none;
}

// GET /v2/: a 401 says what is wanted. Any other answer means that requests may go without; if the
// registry thinks otherwise of one of them, its 401 is adopted then.
Status Authenticator::ping() {
  if (!credentials_.registry_token.empty()) {
    if (!is_token(credentials_.registry_token))
      return Error::invalid("the registry token in the credentials is malformed");
    header_ = "Bearer " + credentials_.registry_token;
    kind_ = Kind::fixed;
    return {};
  }
  http::Request request;
  request.url = cat(base_.origin(), "/v2/");
  CL_TRY(const Answer answer, exchange_.run(request, limits_.error_body_bytes, std::string()));
  if (answer.response.status == 401) return adopt(answer.response);
  if (answer.response.status == 429 || answer.response.status >= 500)
    return registry_error(answer.response, "its greeting", asked_, limits_);
  kind_ = Kind::none;
  return {};
}

// Bearer is preferred: with it the credentials are shown to the registry's token server alone.
Status Authenticator::adopt(const http::Response& refusal) {
  const auto challenges = all_challenges(refusal);
  if (const Challenge* bearer = find_scheme(challenges, "bearer")) {
    challenge_ = *bearer;
    if (const auto scope = challenge_.params.find("scope"); scope != challenge_.params.end())
      for (std::string_view one : split(scope->second, ' '))
        if (!one.empty() && one != scopes_.wished &&
            std::find(scopes_.needed.begin(), scopes_.needed.end(), one) == scopes_.needed.end() &&
            scopes_.needed.size() < 8)
          scopes_.needed.emplace_back(one);
    kind_ = Kind::bearer;
    expires_ = {};
    return {};
  }
  if (find_scheme(challenges, "basic") != nullptr) {
    header_ = basic();
    kind_ = Kind::basic;
    return {};
  }
  kind_ = Kind::none;
  if (challenges.empty()) return {};  // the request's own 401 is the better message
  return Error::unsupported(cat("registry ", quote(asked_.registry), " asks for ",
                                quote(challenges.front().scheme), " authentication"))
      .hint("cloister has Basic and Bearer");
}

Result<http::Url> Authenticator::realm() const {
  const auto it = challenge_.params.find("realm");
  auto url = it == challenge_.params.end() ? std::nullopt : http::parse_url(it->second);
  if (!url)
    return Error::corrupt(cat("registry ", quote(asked_.registry), " names no usable token server"))
        .detail(
            cat("realm ", quote(it == challenge_.params.end() ? "" : it->second.substr(0, 200))));
  if (url->scheme == "http" &&
      (base_.scheme == "https" || (http::is_loopback(base_.host) && !http::is_loopback(url->host))))
    return Error::unsupported(
               cat("registry ", quote(asked_.registry), " names a token server without TLS"))
        .detail(cat("realm ", quote(url->origin())))
        .hint("credentials are not sent in the clear; ask the registry's operator");
  return std::move(*url);
}

std::string Authenticator::service() const {
  const auto it = challenge_.params.find("service");
  return it == challenge_.params.end() ? std::string() : it->second;
}

Result<http::Response> Authenticator::post_identity(const http::Url& realm,
                                                    const std::vector<std::string>& scopes) {
  http::Request request;
  request.method = "POST";
  request.url = realm.str();
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body =
      cat("grant_type=refresh_token&client_id=cloister&service=", http::url_encode(service()),
          "&scope=", http::url_encode(join(scopes, " ")),
          "&refresh_token=", http::url_encode(credentials_.identity_token));
  CL_TRY(Answer answer, exchange_.run(request, limits_.token_body_bytes, std::string()));
  return std::move(answer.response);
}

Result<http::Response> Authenticator::get_token(const http::Url& realm,
                                                const std::vector<std::string>& scopes) {
  http::Url url = realm;
  if (!service().empty()) append_query(url, "service", service());
  for (const std::string& scope : scopes) append_query(url, "scope", scope);
  if (!credentials_.username.empty()) append_query(url, "account", credentials_.username);
  http::Request request;
  request.url = url.str();
  CL_TRY(Answer answer, exchange_.run(request, limits_.token_body_bytes, basic()));
  return std::move(answer.response);
}

Result<http::Response> Authenticator::ask_token_server(const http::Url& realm,
                                                       const std::string& scope_wish) {
  auto scopes = scopes_.needed;
  if (!scope_wish.empty()) scopes.push_back(scope_wish);
  if (!credentials_.identity_token.empty()) {
    CL_TRY(http::Response response, post_identity(realm, scopes));
    if (response.status != 404 && response.status != 405) return response;
  }
  return get_token(realm, scopes);
}

Status Authenticator::fetch_token() {
  header_.clear();
  CL_TRY(const http::Url realm, this->realm());
  CL_TRY(http::Response response, ask_token_server(realm, scopes_.wished));
  if (is_denied(response) && !scopes_.wished.empty()) {
    scopes_.wished.clear();
    CL_TRY(response, ask_token_server(realm, {}));
  }
  if (response.status == 200) return accept_token(response);
  Asked token_server = asked_;
  token_server.origin = realm.origin();
  return registry_error(
      response,
      cat("a token for ",
          quote(cat(asked_.registry, asked_.repository.empty() ? "" : "/", asked_.repository))),
      token_server, limits_);
}

Status Authenticator::accept_token(const http::Response& response) {
  const std::string what = cat("the token of registry ", quote(asked_.registry));
  if (is_html(response, response.body)) return html_error(response, what);
  CL_TRY(const Json json, parse_json(response.body, limits_, what));
  CL_TRY(auto token, get_string(json, "token"));
  if (!token || token->empty()) {
    CL_TRY(token, get_string(json, "access_token"));
  }
  if (token && token->size() > kLongestToken)
    return Error::limit(cat(what, " is larger than ", human_bytes(kLongestToken)))
        .detail(cat("got ", token->size(), " bytes"))
        .hint("no request could carry it; ask the registry's operator");
  if (!token || !is_token(*token)) return Error::corrupt(cat(what, " is missing or malformed"));
  CL_TRY(const auto lifetime, get_int(json, "expires_in"));
  CL_TRY(auto refresh, get_string(json, "refresh_token"));
  if (refresh && !refresh->empty() && !credentials_.identity_token.empty())
    credentials_.identity_token = std::move(*refresh);
  const seconds life(
      std::clamp(lifetime.value_or(kDefaultLifetime), kDefaultLifetime, kLongestLifetime));
  expires_ = Clock::now() + life - kRenewBefore;
  header_ = "Bearer " + *token;
  return {};
}

}  // namespace cloister::oci
