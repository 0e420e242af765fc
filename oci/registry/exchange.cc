// Layers, innermost first: one request; its redirects; the tries; the renewal of a token. Trying
// again starts from the first URL: a storage URL handed out by a redirect may be valid only once.
#include "oci/registry/exchange.h"

#include "base/text.h"
#include "oci/registry/retry.h"

namespace cloister::oci {
namespace {

constexpr int kMaxRedirects = 10;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_follow(const http::Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

Result<http::Url> location_of(const http::Response& response, const http::Url& base) {
  const auto location = response.header("location");
  if (!location)
    return Error::corrupt(
        cat(quote(base.authority()), " answered ", response.status, " without a Location"));
  auto url = http::resolve_url(base, *location);
  if (!url)
    return Error::corrupt(cat(quote(base.authority()), " sent a Location that cannot be used: ",
                              quote(location->substr(0, 200))));
  if (base.scheme == "https" && url->scheme == "http")
    return Error::unsupported(cat(quote(base.authority()), " points from https to http"))
        .detail(cat("to ", quote(url->origin())))
        .hint("the proxy in front of the registry should send X-Forwarded-Proto: https");
  return std::move(*url);
}

Result<Answer> Exchange::once(const http::Request& request,
                              std::optional<std::uint64_t> max_body) const {
  Answer answer;
  if (max_body) {
    CL_TRY(answer.response, client_.send(request, *max_body));
    return answer;
  }
  CL_TRY(answer.stream, client_.open(request));
  answer.response = answer.stream->response();
  if (is_success(answer.response.status)) return answer;
  // Only as much of an error as will be shown.
  Bytes body(limits_.error_body_bytes);
  CL_TRY(const std::size_t n, read_full(*answer.stream, body));
  answer.response.body = std::string(as_text(ByteView(body).first(n)));
  answer.stream.reset();
  return answer;
}

Result<Answer> Exchange::redirected(http::Request request, std::optional<std::uint64_t> max_body,
                                    const std::string& authorization) const {
  auto url = http::parse_url(request.url);
  if (!url) return Error::internal(cat("not a URL: ", quote(request.url)));
  const auto plain_headers = request.headers;
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  for (int hops = 0; hops <= kMaxRedirects; ++hops) {
    CL_TRY(Answer answer, once(request, max_body));
    if (!is_redirect(answer.response.status) || !may_follow(request)) return answer;
    CL_TRY(http::Url next, location_of(answer.response, *url));
    if (next.origin() != url->origin()) request.headers = plain_headers;
    url = std::move(next);
    request.url = url->str();
  }
  return Error::corrupt(cat(quote(url->authority()), " redirects without end"))
      .detail(cat("gave up after ", kMaxRedirects, " redirects"));
}

Result<Answer> Exchange::retried(const http::Request& request,
                                 std::optional<std::uint64_t> max_body,
                                 const std::string& authorization) const {
  const bool repeatable = request.body_stream == nullptr;
  Retry retry(retry_, cancel_);
  for (;;) {
    auto answer = redirected(request, max_body, authorization);
    if (!repeatable) return answer;
    bool again = false;
    if (!answer.has_value() && answer.error().code() == Code::unavailable) {
      CL_TRY(again, retry.after_fault());
    } else if (answer.has_value() && is_temporary(answer->response.status)) {
      CL_TRY(again, retry.after_answer(answer->response));
    }
    if (!again) return answer;
  }
}

Result<Answer> Exchange::run(const http::Request& request, std::optional<std::uint64_t> max_body,
                             const std::string& authorization) const {
  return retried(request, max_body, authorization);
}

Result<Answer> Exchange::run(const http::Request& request, std::optional<std::uint64_t> max_body,
                             Authorizer& authorizer, const std::string& home) const {
  const auto url = http::parse_url(request.url);
  if (!url || url->origin() != home) return retried(request, max_body, {});
  CL_TRY(const std::string used, authorizer.authorization());
  CL_TRY(Answer answer, retried(request, max_body, used));
  // A 401 from elsewhere says nothing about our token, and its challenge is nobody's business.
  const auto asked = http::parse_url(answer.response.effective_url);
  if (answer.response.status != 401 || !asked || asked->origin() != home) return answer;
  CL_TRY(const bool renewed, authorizer.renew(used, answer.response));
  if (!renewed) return answer;
  if (request.body_stream != nullptr)
    return Error::unavailable("the registry's token ran out during an upload");
  CL_TRY(const std::string fresh, authorizer.authorization());
  return retried(request, max_body, fresh);
}

}  // namespace cloister::oci
