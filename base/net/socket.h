// TCP sockets that never block for good: every wait has an end and looks at a cancel token.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/file.h"
#include "base/result.h"

namespace cloister::net {

struct HostPort {
  std::string host;  // name or address, IPv6 without brackets; empty: every address (to listen)
  std::string port;  // number
  std::string str() const;
};
// "host:port", "[::1]:443"; nothing when it is neither. Port 0 is one: to listen, any free one.
std::optional<HostPort> parse_host_port(std::string_view text);

// Both answer with descriptors that do not block. `unavailable` when nobody answers in time (which
// the addresses of a name share), `io` when the address cannot be listened on, `not_found` for a
// name without an address. Resolving a name takes as long as the system's resolver does.
Result<Fd> connect_to(const HostPort& to, std::chrono::milliseconds timeout, CancelToken cancel);
Result<Fd> listen_on(const HostPort& at);
// Where a listening socket really is: the port that the kernel chose.
Result<HostPort> local_address(const Fd& fd);
// A waiting client, or nothing when there is none any more. When the system has no room for one it
// goes on waiting in the queue; the answer is nothing then, after a pause, so that whoever asks in
// a loop does not spin.
Result<std::optional<Fd>> accept_one(const Fd& listener);
// When it is closed the other side sees a failure and not an end.
void reset_on_close(const Fd& fd);

// What one try to read or write did.
struct Io {
  std::size_t bytes = 0;
  bool closed = false;  // read: the other side has ended; write: it wants no more
  short wait_for = 0;   // poll events to wait for before the next try
};
Result<Io> read_some(const Fd& fd, std::span<std::byte> out);
Result<Io> write_some(const Fd& fd, ByteView bytes);

// Until one of the descriptors is ready, or `most` has passed; `cancelled` when the token says so.
Status wait_for(std::span<struct pollfd> fds, std::chrono::milliseconds most, CancelToken cancel);

}  // namespace cloister::net
