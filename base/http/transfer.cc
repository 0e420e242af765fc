// libcurl pushes, we pull. read() drives a multi handle that holds one transfer; the write callback
// fills the reader's own buffer and keeps at most one buffer beyond it, then pauses the transfer,
// so that memory is bounded and the bytes are copied once. Nothing blocks longer than kPollMs, so
// that an interrupt is seen soon; name lookups run on libcurl's own threads.
//
// Traps: libcurl hands out bodies in pieces of 16 KiB whatever its buffer size, so a reader is
// answered with all that one curl_multi_perform brought; a paused transfer holds up to one receive
// buffer in libcurl; unpausing may call the write callback at once. HTTP/1.1 is asked for because
// each transfer has its own connection anyway and HTTP/2 framing costs CPU without a gain.
// Proxies come from our options: libcurl is kept from reading the environment itself.
//
// Time-outs: a silent or crawling server is given up after low_speed_seconds, which also bounds the
// time of a stream by its size; a request that is read whole has a total besides, since headers may
// trickle just fast enough. libcurl counts as silence the time in which a server works on its
// answer, so a request may ask for more patience.
#include "base/http/transfer.h"

#include <algorithm>

#include "base/file.h"
#include "base/http/transfer_error.h"
#include "base/text.h"

namespace cloister::http {
namespace {

constexpr int kPollMs = 200;
constexpr long kHandshakeMs = 5'000;
constexpr std::uint64_t kMaxCaFile = 16 << 20;

bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
  });
}

bool has_body(const Request& request) {
  return request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

}  // namespace

Transfer::Transfer(std::shared_ptr<Shared> shared, Request request, Url url)
    : shared_(std::move(shared)),
      request_(std::move(request)),
      url_(std::move(url)),
      head_(shared_->limits),
      upload_left_(request_.body_size) {}

Transfer::~Transfer() {
  if (!channel_) return;
  if (added_) {
    const SigpipeGuard guard;
    curl_multi_remove_handle(channel_->multi(), channel_->easy());
  }
  if (!reusable_) return;
  curl_easy_reset(channel_->easy());
  shared_->pool.give_back(std::move(channel_));
}

// ---- callbacks: libcurl's arguments are (data, 1, size, userdata)

std::size_t Transfer::write_callback(char* data, std::size_t, std::size_t size, void* self) {
  return static_cast<Transfer*>(self)->on_body(data, size);
}

std::size_t Transfer::header_callback(char* data, std::size_t, std::size_t size, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  if (transfer->head_.add_line({data, size})) return size;
  transfer->own_error_ = transfer->endless_headers();
  return 0;
}

std::size_t Transfer::read_callback(char* data, std::size_t, std::size_t size, void* self) {
  return static_cast<Transfer*>(self)->on_upload(data, size);
}

std::size_t Transfer::on_body(const char* data, std::size_t size) {
  if (spill_.size() - spill_read_ >= kStreamBuffer) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const auto bytes = as_bytes({data, size});
  const std::size_t direct = std::min(bytes.size(), out_.size() - filled_);
  std::copy_n(bytes.begin(), direct, out_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += direct;
  const auto rest = bytes.subspan(direct);
  spill_.insert(spill_.end(), rest.begin(), rest.end());
  return size;
}

std::size_t Transfer::on_upload(char* data, std::size_t size) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size, upload_left_));
  if (want == 0) return 0;
  auto n = request_.body_stream->read(std::as_writable_bytes(std::span(data, want)));
  if (n.has_value() && *n > 0) {
    upload_left_ -= *n;
    return *n;
  }
  own_error_ = n.has_value() ? Error::corrupt(cat("the content to be sent ended ", upload_left_,
                                                  " bytes before its announced size"))
                             : std::move(n).error();
  return CURL_READFUNC_ABORT;
}

// ---- options

Status Transfer::set_tls() {
  CURL* easy = channel_->easy();
  const Options& options = shared_->options;
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  HostTls host;
  if (options.host_tls && url_.scheme == "https") {
    CL_TRY(host, options.host_tls(url_));
  }
  // Debian's libcurl also looks in its default CApath, so the system's CAs stay valid.
  if (!host.ca_pem.empty()) {
    if (!options.ca_file.empty()) {
      CL_TRY(const std::string more, read_text_file(options.ca_file, kMaxCaFile));
      host.ca_pem += more;
    }
    curl_blob pem{host.ca_pem.data(), host.ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &pem);
  } else if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  }
  if (!host.client_certificate.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, host.client_certificate.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, host.client_key.c_str());
  }
  if (options.tls_verify) return {};
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  return {};
}

void Transfer::set_proxy() {
  CURL* easy = channel_->easy();
  const Proxies& proxies = shared_->options.proxies;
  const std::string& proxy = url_.scheme == "https" ? proxies.https : proxies.http;
  // An empty name is "no proxy, whatever the environment says".
  curl_easy_setopt(easy, CURLOPT_PROXY, is_loopback(url_.host) ? "" : proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, proxies.no_proxy.c_str());
}

void Transfer::set_time_outs() {
  CURL* easy = channel_->easy();
  const Options& options = shared_->options;
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, options.connect_timeout_ms);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, options.low_speed_bytes);
  const long patience = std::max(options.low_speed_seconds, request_.patience_seconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, patience);
  if (whole_)
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     std::max(options.answer_timeout_ms, request_.patience_seconds * 1000));
}

void Transfer::set_body() {
  CURL* easy = channel_->easy();
  if (request_.body_stream != nullptr) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(kStreamBuffer));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_callback);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
  } else {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_request() {
  CURL* easy = channel_->easy();
  curl_easy_setopt(easy, CURLOPT_URL, url_.str().c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  bool typed = false;
  curl_slist* list = nullptr;
  for (const auto& [name, value] : request_.headers) {
    typed = typed || iequals_ascii(name, "content-type");
    list = curl_slist_append(list, cat(name, ": ", value).c_str());
  }
  // A header without value is one that libcurl shall not add by itself.
  if (!typed) list = curl_slist_append(list, "Content-Type:");
  list = curl_slist_append(list, "Expect:");
  header_list_.reset(list);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  if (request_.method == "HEAD")
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else if (has_body(request_))
    set_body();
  else if (request_.method != "GET")
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

Status Transfer::start() {
  for (const auto& [name, value] : request_.headers)
    if (!is_header_text(name) || !is_header_text(value))
      return Error::invalid(cat("the request header ", quote(name), " holds control characters"));
  CL_TRY(channel_, shared_->pool.take());
  CURL* easy = channel_->easy();
  const Options& options = shared_->options;
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a slow name lookup
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, static_cast<long>(kStreamBuffer));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  if (!options.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  if (!options.user_agent.empty())
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_callback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  set_time_outs();
  set_proxy();
  CL_CHECK(set_tls());
  set_request();
  return {};
}

// ---- driving

void Transfer::take_result() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(channel_->multi(), &left))
    if (message->msg == CURLMSG_DONE) result_ = message->data.result;
}

Error Transfer::endless_headers() const {
  return Error::limit(cat("the headers of ", quote(url_.authority()), " have no end"))
      .hint("check the host name; that is no registry, or one that is out of order");
}

Error Transfer::failure() {
  if (own_error_) return own_error_->clone();
  // What libcurl says of a header line beyond its own limit.
  if (*result_ == CURLE_OUT_OF_MEMORY && !head_.complete()) return endless_headers();
  return transfer_error({*result_, channel_->easy(), error_text_.data(), url_}, shared_->options);
}

// Moves what can be moved now; waits a little when that is nothing.
Status Transfer::step() {
  CL_CHECK(shared_->cancel.check());
  const std::size_t before = filled_ + spill_.size();
  const SigpipeGuard guard;
  if (!added_) {
    if (curl_multi_add_handle(channel_->multi(), channel_->easy()) != CURLM_OK)
      return Error::internal("libcurl does not take the request");
    added_ = true;
  }
  if (paused_) {
    paused_ = false;
    curl_easy_pause(channel_->easy(), CURLPAUSE_CONT);
  }
  int running = 0;
  if (const CURLMcode code = curl_multi_perform(channel_->multi(), &running); code != CURLM_OK)
    return Error::internal(cat("libcurl: ", curl_multi_strerror(code)));
  if (running == 0) take_result();
  if (!handle_done() && filled_ + spill_.size() == before)
    curl_multi_poll(channel_->multi(), nullptr, 0, kPollMs, nullptr);
  return {};
}

Result<Response> Transfer::begin() {
  CL_CHECK(start());
  while (!head_.complete() && !handle_done()) CL_CHECK(step());
  // A body that broke right after the head is for read() to report, but a head alone must be whole.
  if (own_error_ || !head_.complete()) {
    if (handle_done() && *result_ == CURLE_OK && !own_error_)
      return Error::corrupt(cat(quote(url_.authority()), " does not answer in HTTP"));
    return failure();
  }
  Response response;
  response.status = head_.status();
  response.headers = head_.take_headers();
  response.effective_url = url_.str();
  return response;
}

Result<std::size_t> Transfer::read(std::span<std::byte> out) {
  if (const std::size_t kept = spill_.size() - spill_read_; kept > 0) {
    const std::size_t n = std::min(kept, out.size());
    std::copy_n(spill_.begin() + static_cast<std::ptrdiff_t>(spill_read_), n, out.begin());
    spill_read_ += n;
    if (spill_read_ == spill_.size()) spill_.clear(), spill_read_ = 0;
    return n;
  }
  out_ = out;
  filled_ = 0;
  Status moved;
  while (filled_ == 0 && !handle_done() && moved.has_value()) moved = step();
  out_ = {};
  const std::size_t n = std::exchange(filled_, 0);
  if (n > 0) return n;
  if (!moved.has_value()) return std::move(moved).error();
  if (*result_ != CURLE_OK) return failure();
  return 0;
}

Result<bool> Transfer::handshake() {
  CL_CHECK(start());
  reusable_ = false;  // the connection was not verified
  CURL* easy = channel_->easy();
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   std::min(kHandshakeMs, shared_->options.connect_timeout_ms));
  while (!handle_done()) CL_CHECK(step());
  if (*result_ == CURLE_OK) return true;
  if (*result_ == CURLE_SSL_CERTPROBLEM)
    return failure();  // ours: it says nothing about the server
  curl_off_t connect_time = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_time);
  // TCP worked, TLS did not. libcurl 7.88 counts the handshake as part of connecting, so the time
  // alone does not tell.
  if (*result_ == CURLE_SSL_CONNECT_ERROR || connect_time > 0) return false;
  return failure();
}

}  // namespace cloister::http
