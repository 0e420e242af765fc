// The code decides the exit status, so it must follow from the status and not from the words: 401
// and 403 are `unauthorized` even where a registry hides a missing repository behind them (Docker
// Hub does), and the hint says so. Words of a server are bounded and escaped: they reach a
// terminal.
#include "oci/registry/registry_error.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::size_t kMaxErrors = 3;
constexpr std::size_t kMaxWords = 200;  // bytes of one message

std::string words(std::string_view text) {
  return printable(trim(text.substr(0, kMaxWords)));
}

// The first of these members that is a string.
std::string first_string(const Json& object, std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys)
    if (auto value = get_string(object, key); value.has_value() && *value) return words(**value);
  return {};
}

std::string words_of_object(const Json& error) {
  const std::string code = first_string(error, {"code", "error"});
  const std::string message =
      first_string(error, {"message", "error_description", "details", "detail"});
  return cat(code, code.empty() || message.empty() ? "" : ": ", message);
}

std::string host_of(const http::Response& response) {
  const auto url = http::parse_url(response.effective_url);
  return url ? url->authority() : std::string();
}

bool came_from(const http::Response& response, const Asked& asked) {
  const auto url = http::parse_url(response.effective_url);
  return url && url->origin() == asked.origin;
}

Error classify(const http::Response& response, std::string_view what, const Asked& asked) {
  const std::string registry = quote(asked.registry);
  const int status = response.status;
  if (!came_from(response, asked))
    return Error::unavailable(cat("the storage host ", quote(host_of(response)), " of registry ",
                                  registry, " answered ", status, " for ", what))
        .hint(
            "try again; if it stays, the registry's storage is broken or not reachable from here");
  if (status == 401 || status == 403)
    return Error::unauthorized(cat("not authorised for ", what)).hint(login_hint(asked));
  if (status == 404)
    return Error::not_found(cat(what, " does not exist"))
        .hint("check the spelling of registry, repository and tag");
  if (status == 413)
    return Error::limit(cat("registry ", registry, " finds ", what, " too large"))
        .hint("raise the limit of the registry, or of the proxy before it");
  if (status == 429)
    return Error::unavailable(cat("registry ", registry, " limits requests and refused ", what))
        .hint("wait, or log in: most registries allow more to those they know");
  if (status == 408 || status >= 500)
    return Error::unavailable(cat("registry ", registry, " failed on ", what))
        .hint("try again later; the registry's log names the cause");
  if (status >= 300 && status < 400)
    return Error::unsupported(cat("registry ", registry, " redirects ", what))
        .hint("name the registry that it redirects to");
  return Error::invalid(cat("registry ", registry, " refused ", what))
      .hint("the registry's own words say why; its log may say more");
}

}  // namespace

std::string login_hint(const Asked& asked) {
  const std::string login =
      cat("'cloister login ", printable(asked.registry), "', or pass --authfile FILE");
  if (asked.with_credentials)
    return cat("the credentials that were found do not allow it; log in anew with ", login);
  return cat("it may not exist, or be private: check the name, or log in with ", login);
}

std::string words_of_registry(const http::Response& response, const Limits& limits) {
  auto json = parse_json(response.body, limits, "error");
  if (!json.has_value() || !json->is_object())  // a sentence, or a page that would not fit a line
    return is_html(response, response.body) ? std::string() : words(response.body);
  const auto errors = get_array(*json, "errors");
  if (!errors.has_value() || *errors == nullptr) return words_of_object(*json);
  std::string out;
  std::size_t count = 0;
  for (const Json& error : **errors) {
    if (++count > kMaxErrors) break;
    const std::string one = words_of_object(error);
    if (!one.empty()) out += (out.empty() ? "" : "; ") + one;
  }
  return out;
}

Error registry_error(const http::Response& response, std::string_view what, const Asked& asked,
                     const Limits& limits) {
  const std::string said = words_of_registry(response, limits);
  return classify(response, what, asked)
      .detail(cat(printable(host_of(response)), " answered ", response.status,
                  said.empty() ? "" : ": ", said));
}

bool is_html(const http::Response& response, std::string_view body) {
  const std::string type = lower_ascii(response.header("content-type").value_or(""));
  if (type.starts_with("text/html") || type.starts_with("application/xhtml")) return true;
  const std::string start = lower_ascii(trim(body.substr(0, 64)));
  return start.starts_with("<!doctype") || start.starts_with("<html");
}

Error html_error(const http::Response& response, std::string_view what) {
  return Error::corrupt(
             cat(quote(host_of(response)), " answered with a web page instead of ", what))
      .hint("check the registry's name; a proxy or a sign-in page may answer in its place");
}

}  // namespace cloister::oci
