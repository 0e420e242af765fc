#include "tests/base/tls_server.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/base/must.h"

namespace cloister {

TlsServer::TlsServer(Handler handler)
    : handler_(std::move(handler)), listener_(must(net::listen_on({"127.0.0.1", "0"}))) {
  address_ = must(net::local_address(listener_));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  stop_ = Fd(ends[0]);
  stopped_ = Fd(ends[1]);
  thread_ = std::thread([this] { run(); });
}

TlsServer::~TlsServer() {
  stopped_ = Fd();
  thread_.join();
}

void TlsServer::run() {
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{listener_.get(), POLLIN, 0},
                                 pollfd{stop_.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) continue;
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(identity_.server_context()),
                                                        SSL_free);
    SSL_set_fd(tls.get(), client.get());
    if (SSL_accept(tls.get()) == 1) handler_(tls.get());
    ERR_clear_error();
  }
}

std::string read_all(ssl_st* connection) {
  std::string out;
  std::array<char, 16384> piece{};
  for (;;) {
    const int n = SSL_read(connection, piece.data(), static_cast<int>(piece.size()));
    if (n <= 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(n));
  }
}

bool write_all(ssl_st* connection, std::string_view text) {
  return SSL_write(connection, text.data(), static_cast<int>(text.size())) ==
         static_cast<int>(text.size());
}

}  // namespace cloister
