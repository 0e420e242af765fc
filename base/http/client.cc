// The public face over Transfer: a buffered answer is a streamed one that was read to its end, so
// there is one path for every request.
#include "base/http/client.h"

#include <algorithm>

#include "base/http/curl_pool.h"
#include "base/http/transfer.h"
#include "base/text.h"

namespace cloister::http {
namespace {

class Stream final : public BodyStream {
 public:
  static Result<std::unique_ptr<Stream>> open(std::shared_ptr<Shared> shared,
                                              const Request& request, bool whole) {
    auto url = parse_url(request.url);
    if (!url) return Error::invalid(cat("not an http or https URL: ", quote(request.url)));
    std::unique_ptr<Stream> stream(new Stream(std::move(shared), request, std::move(*url)));
    if (whole) stream->transfer_.limit_whole();
    CL_TRY(stream->response_, stream->transfer_.begin());
    return stream;
  }
  Result<std::size_t> read(std::span<std::byte> out) override { return transfer_.read(out); }
  const Response& response() const override { return response_; }
  Response take_response() { return std::move(response_); }

 private:
  Stream(std::shared_ptr<Shared> shared, const Request& request, Url url)
      : transfer_(std::move(shared), request, std::move(url)) {}
  Transfer transfer_;
  Response response_;
};

bool is_success(int status) {
  return status >= 200 && status < 300;
}

class CurlClient final : public Client {
 public:
  explicit CurlClient(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<Response> send(const Request& request, std::uint64_t max_body) override {
    CL_TRY(auto stream, Stream::open(shared_, request, /*whole=*/request.body_stream == nullptr));
    const bool success = is_success(stream->response().status);
    const std::uint64_t max = success ? max_body : shared_->limits.error_body_bytes;
    std::string body;
    Bytes buffer(16 << 10);
    for (;;) {
      CL_TRY(const std::size_t n, stream->read(buffer));
      if (n == 0) break;
      const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(n, max - body.size()));
      body.append(as_text(std::span(buffer).first(room)));
      if (room == n) continue;
      if (!success) break;
      return Error::limit(cat("the answer of ", quote(request.url), " is too large"))
          .detail(cat("the limit is ", human_bytes(max)));
    }
    Response response = stream->take_response();
    response.body = std::move(body);
    return response;
  }

  Result<std::unique_ptr<BodyStream>> open(const Request& request) override {
    CL_TRY(auto stream, Stream::open(shared_, request, /*whole=*/false));
    return std::unique_ptr<BodyStream>(std::move(stream));
  }

  Result<bool> speaks_tls(const Url& url) override {
    Request request;
    request.url = url.str();
    return Transfer(shared_, std::move(request), url).handshake();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(Options options, const Limits& limits,
                                               CancelToken cancel) {
  auto shared = std::make_shared<Shared>();
  shared->options = std::move(options);
  shared->limits = limits;
  shared->cancel = cancel;
  CL_TRY(auto channel, shared->pool.take());  // so that a broken libcurl is known now
  shared->pool.give_back(std::move(channel));
  return std::unique_ptr<Client>(std::make_unique<CurlClient>(std::move(shared)));
}

}  // namespace cloister::http
