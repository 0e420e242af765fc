// A TLS server on a loopback port, for tests: what it does with a connection is a function's.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/net/socket.h"
#include "tests/base/tls_identity.h"

struct ssl_st;

namespace cloister {

// One connection after the other, in one thread. A connection is closed when the function returns,
// without a word of TLS about it unless the function said one.
class TlsServer {
 public:
  using Handler = std::function<void(ssl_st*)>;
  explicit TlsServer(Handler handler);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  const net::HostPort& address() const { return address_; }
  const TlsIdentity& identity() const { return identity_; }

 private:
  void run();

  const Handler handler_;
  const TlsIdentity identity_;
  Fd listener_, stop_, stopped_;  // a pipe: closing `stopped_` ends the thread
  net::HostPort address_;
  std::thread thread_;
};

// Of the handler's side, blocking: everything until the peer ends, or fails to.
std::string read_all(ssl_st* connection);
bool write_all(ssl_st* connection, std::string_view text);

}  // namespace cloister
