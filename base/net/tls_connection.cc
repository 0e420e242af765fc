#include "base/net/tls_connection.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <climits>

#include "base/text.h"

namespace cloister::net {
namespace {

using TlsClock = std::chrono::steady_clock;

std::string tls_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string out = reason == nullptr ? "the connection was closed" : reason;
  ERR_clear_error();
  return out;
}

// A name, as opposed to an address, which must not be sent as one (RFC 6066 section 3).
bool is_name(const std::string& host) {
  in_addr address{};
  return host.find(':') == std::string::npos && ::inet_pton(AF_INET, host.c_str(), &address) != 1;
}

int size_for_tls(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

void TlsConnection::Free::operator()(ssl_st* object) const {
  SSL_free(object);
}
void TlsConnection::Free::operator()(ssl_ctx_st* object) const {
  SSL_CTX_free(object);
}

Result<TlsConnection> TlsConnection::connect(const HostPort& to, std::chrono::milliseconds timeout,
                                             CancelToken cancel) {
  CL_TRY(Fd fd, connect_to(to, timeout, cancel));
  TlsConnection out(std::move(fd));
  CL_CHECK(out.shake_hands(to, timeout, cancel));
  return out;
}

Status TlsConnection::shake_hands(const HostPort& to, std::chrono::milliseconds timeout,
                                  CancelToken cancel) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) return Error::internal("OpenSSL has no TLS");
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);  // the caller's question
  SSL_CTX_set_mode(context_.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ssl_.reset(SSL_new(context_.get()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1)
    return Error::internal("OpenSSL cannot make a connection");
  if (is_name(to.host)) SSL_set_tlsext_host_name(ssl_.get(), to.host.c_str());

  const auto end = TlsClock::now() + timeout;
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(ssl_.get());
    if (done == 1) break;
    const int why = SSL_get_error(ssl_.get(), done);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - TlsClock::now());
    if ((why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) || left.count() <= 0)
      return Error::unavailable(cat("no TLS connection to ", quote(to.str())))
          .detail(left.count() <= 0 ? "the server did not answer in time" : tls_reason())
          .hint("does the server speak TLS on this port?");
    pollfd ready{fd_.get(), static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    CL_CHECK(wait_for(std::span(&ready, 1), left, cancel));
  }
  X509* peer = SSL_get0_peer_certificate(ssl_.get());
  const int size = peer == nullptr ? 0 : i2d_X509(peer, nullptr);
  if (size <= 0) return Error::unavailable(cat(quote(to.str()), " showed no certificate"));
  peer_certificate_.resize(static_cast<std::size_t>(size));
  unsigned char* at = raw(peer_certificate_.data());
  i2d_X509(peer, &at);
  return {};
}

Result<Io> TlsConnection::read(std::span<std::byte> out) {
  ERR_clear_error();
  return answer(SSL_read(ssl_.get(), out.data(), size_for_tls(out.size())));
}

Result<Io> TlsConnection::write(ByteView bytes) {
  ERR_clear_error();
  return answer(SSL_write(ssl_.get(), bytes.data(), size_for_tls(bytes.size())));
}

Result<Io> TlsConnection::answer(int done) const {
  if (done > 0) return Io{static_cast<std::size_t>(done), false, 0};
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return Io{0, false, POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return Io{0, false, POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return Io{0, true, 0};
    default:
      return Error::corrupt(cat("a TLS connection ended badly: ", tls_reason()));
  }
}

Io TlsConnection::end_writing() {
  ERR_clear_error();
  const int done = SSL_shutdown(ssl_.get());
  const bool later = done < 0 && SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_WRITE;
  ERR_clear_error();
  return later ? Io{0, false, POLLOUT} : Io{0, true, 0};
}

}  // namespace cloister::net
