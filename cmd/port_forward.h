// Ports of this machine that lead into a sandbox, as `-p` of container engines has them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/file.h"
#include "base/net/socket.h"
#include "base/result.h"

namespace cloister::cmd {

// "8080", "8080:80", "127.0.0.1:8080:80", "[::1]:8080:80", each with an optional "/tcp". Without an
// address it is 127.0.0.1: a rehearsal is nobody else's business.
struct PublishedPort {
  net::HostPort at;  // here; port "0" is any free one
  std::uint16_t inside = 0;
};
Result<PublishedPort> parse_published_port(std::string_view text);

// A connection to a port inside; called from one thread at a time.
using ConnectInside = std::function<Result<Fd>(std::uint16_t port)>;

class PortForward {
 public:
  // Listens at once; passes bytes on a thread of its own until it is destroyed. A client that
  // finds nobody inside is sent away, as the kernel would.
  static Result<std::unique_ptr<PortForward>> start(const std::vector<PublishedPort>& ports,
                                                    ConnectInside connect);
  ~PortForward();
  PortForward(const PortForward&) = delete;
  PortForward& operator=(const PortForward&) = delete;

  // "127.0.0.1:8080", as it really is, in the order of the ports.
  const std::vector<net::HostPort>& addresses() const { return addresses_; }

 private:
  struct Listener {
    Fd fd;
    std::uint16_t inside;
  };
  PortForward(std::vector<Listener> listeners, std::vector<net::HostPort> addresses,
              ConnectInside connect);
  void run();

  std::vector<Listener> listeners_;
  std::vector<net::HostPort> addresses_;
  ConnectInside connect_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace cloister::cmd
