#include "tests/base/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace cloister {

// A connection, plain or TLS, with what was read beyond the last request.
class Wire {
 public:
  Wire(int fd, const TlsIdentity* tls) : fd_(fd) {
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls->server_context());
    SSL_set_fd(ssl_, fd);
    ok_ = SSL_accept(ssl_) == 1;
  }
  ~Wire() {
    if (ssl_ == nullptr) return;
    if (ok_) SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool ok() const { return ok_; }
  // Appends what arrives to the buffer; false at the end.
  bool fill() {
    char buffer[64 << 10];
    const ssize_t n = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                      : recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) pending_.append(buffer, static_cast<std::size_t>(n));
    ok_ = n > 0;
    return ok_;
  }
  std::optional<std::string> take_until(std::string_view mark) {
    std::size_t at;
    while ((at = pending_.find(mark)) == std::string::npos)
      if (pending_.size() > (1 << 20) || is_tls_hello() || !fill()) return std::nullopt;
    return take(at + mark.size());
  }
  // A client that takes us for an https server.
  bool is_tls_hello() const { return pending_.starts_with('\x16'); }
  std::optional<std::string> take_bytes(std::size_t size) {
    while (pending_.size() < size)
      if (!fill()) return std::nullopt;
    return take(size);
  }
  void send_all(std::string_view text) {
    while (ok_ && !text.empty()) {
      const ssize_t n = ssl_ != nullptr
                            ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                            : send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      ok_ = n > 0;
      if (ok_) text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  std::string take(std::size_t size) {
    std::string out = pending_.substr(0, size);
    pending_.erase(0, size);
    return out;
  }
  int fd_;
  SSL* ssl_ = nullptr;
  bool ok_ = true;
  std::string pending_;
};

namespace {

std::optional<Received> read_request(Wire& wire) {
  const auto head = wire.take_until("\r\n\r\n");
  if (!head) return std::nullopt;
  Received request;
  const auto lines = split(*head, '\n');
  const auto words = split(trim(lines[0]), ' ');
  if (words.size() != 3) return std::nullopt;
  request.method = words[0];
  const std::size_t mark = words[1].find('?');
  request.path = words[1].substr(0, mark);
  if (mark != std::string_view::npos) request.query = words[1].substr(mark + 1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon != std::string_view::npos)
      request.headers[lower_ascii(lines[i].substr(0, colon))] = trim(lines[i].substr(colon + 1));
  }
  const auto size = parse_u64(request.header("content-length")).value_or(0);
  auto body = wire.take_bytes(size);
  if (!body) return std::nullopt;
  request.body = std::move(*body);
  return request;
}

std::string head_of(const Reply& reply) {
  std::string head = cat("HTTP/1.1 ", reply.status, " Scripted\r\n");
  for (const auto& [name, value] : reply.headers) head += cat(name, ": ", value, "\r\n");
  if (reply.chunked)
    head += "Transfer-Encoding: chunked\r\n";
  else if (reply.status != 204)
    head += cat("Content-Length: ", reply.announced.value_or(reply.body.size()), "\r\n");
  return head + "\r\n";
}

std::string chunked(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    const auto piece = body.substr(0, 1000);
    out += cat(hex_number(piece.size()).substr(2), "\r\n", piece, "\r\n");
    body.remove_prefix(piece.size());
  }
  return out + "0\r\n\r\n";
}

}  // namespace

HttpServer::HttpServer(Handler handler, const TlsIdentity* tls, const std::string& unix_socket)
    : handler_(std::move(handler)), tls_(tls) {
  if (unix_socket.empty())
    listen_on_loopback();
  else
    listen_on(unix_socket);
  acceptor_ = std::thread([this] { accept_loop(); });
}

void HttpServer::listen_on(const std::string& unix_socket) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(address.sun_path);
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API
  if (bind(listener_, generic, sizeof address) != 0 || listen(listener_, 64) != 0) {
    std::perror("test server");
    std::abort();
  }
}

void HttpServer::listen_on_loopback() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API
  if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    std::perror("test server");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
}

HttpServer::~HttpServer() {
  stopping_ = true;
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& worker : workers_) worker.join();
  close(listener_);
}

std::string HttpServer::authority(const std::string& host) const {
  return cat(host, ":", port_);
}

std::string HttpServer::url(const std::string& path) const {
  return cat(tls_ != nullptr ? "https" : "http", "://", authority(), path);
}

std::vector<Received> HttpServer::received() const {
  std::lock_guard lock(mutex_);
  return received_;
}

void HttpServer::accept_loop() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    std::lock_guard lock(mutex_);
    open_.push_back(fd);
    workers_.emplace_back([this, fd] { serve(fd); });
  }
}

void HttpServer::serve(int fd) {
  sigset_t pipe;  // OpenSSL writes without MSG_NOSIGNAL
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  {
    Wire wire(fd, tls_);
    while (wire.ok()) {
      const auto request = read_request(wire);
      if (wire.is_tls_hello()) wire.send_all("HTTP/1.0 400 Bad Request\r\n\r\n");
      if (!request || !answer(wire, *request)) break;
    }
  }
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  close(fd);
}

// False when the connection is to be closed.
bool HttpServer::answer(Wire& wire, const Received& request) {
  const Reply reply = handler_(request);
  {
    std::lock_guard lock(mutex_);
    received_.push_back(request);
  }
  for (auto left = reply.delay; left.count() > 0 && !stopping_;
       left -= std::chrono::milliseconds(20))
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (!reply.raw.empty()) {
    wire.send_all(reply.raw);
    return false;
  }
  std::string message = head_of(reply);
  if (request.method != "HEAD") {
    const std::string body = reply.chunked ? chunked(reply.body) : reply.body;
    message += std::string_view(body).substr(0, reply.cut_after.value_or(body.size()));
  }
  if (reply.drip.count() == 0) {
    wire.send_all(message);
    return !reply.cut_after;
  }
  for (std::size_t i = 0; i < message.size() && wire.ok() && !stopping_; ++i) {
    wire.send_all(std::string_view(message).substr(i, 1));
    std::this_thread::sleep_for(reply.drip);
  }
  return !reply.cut_after;
}

}  // namespace cloister
