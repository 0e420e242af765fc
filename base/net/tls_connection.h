// A TLS client connection (1.2 or later) whose peer the caller judges by the certificate that it
// proved to hold: no certificate authority is asked, no name compared. For protocols in which the
// certificate carries its own proof. The program has to ignore SIGPIPE, as cmd/ does: OpenSSL
// writes to a connection that the peer has closed like to any file.
#pragma once

#include <chrono>
#include <memory>

#include "base/net/socket.h"

struct ssl_st;
struct ssl_ctx_st;

namespace cloister::net {

class TlsConnection {
 public:
  // Connects and shakes hands. Neither side can change its key or certificate afterwards:
  // renegotiation is refused. `unavailable` when the server does not answer, or speaks no TLS.
  static Result<TlsConnection> connect(const HostPort& to, std::chrono::milliseconds timeout,
                                       CancelToken cancel);

  // DER; the peer has proved that it has the key of this certificate.
  const Bytes& peer_certificate() const { return peer_certificate_; }
  const Fd& fd() const { return fd_; }

  // `Io::closed` of a read is the peer's proper end; an end without one, which anybody on the way
  // can cause, is `corrupt`.
  Result<Io> read(std::span<std::byte> out);
  Result<Io> write(ByteView bytes);
  // Tells the peer that nothing more comes; again while the answer has something to wait for.
  Io end_writing();

 private:
  Result<Io> answer(int done) const;  // of SSL_read and SSL_write
  struct Free {
    void operator()(ssl_st* object) const;
    void operator()(ssl_ctx_st* object) const;
  };
  explicit TlsConnection(Fd fd) : fd_(std::move(fd)) {}
  Status shake_hands(const HostPort& to, std::chrono::milliseconds timeout, CancelToken cancel);

  Fd fd_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  Bytes peer_certificate_;
};

}  // namespace cloister::net
