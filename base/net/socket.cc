#include "base/net/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"

namespace cloister::net {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook(200);  // how often a wait looks at its token
// A peer whose machine is gone says nothing, ever: it is asked after a minute, and then so often.
constexpr int kIdleSeconds = 60, kProbeSeconds = 15, kProbes = 4;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const HostPort& name, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const char* host = name.host.empty() ? nullptr : name.host.c_str();
  const int code = ::getaddrinfo(host, name.port.c_str(), &hints, &list);
  if (code != 0)
    return Error::not_found(cat("no address of ", quote(name.str()), ": ", ::gai_strerror(code)))
        .hint("check the name and the port");
  return Addresses(list);
}

Fd socket_for(const addrinfo& address) {
  return Fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Best effort: without them a connection works as well, only slower to start and to die.
void set_connection_options(const Fd& fd) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, &kProbeSeconds, sizeof kProbeSeconds);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
}

Error no_answer(const HostPort& to, int error_number) {
  return Error::unavailable(cat("cannot connect to ", quote(to.str()), ": ",
                                std::generic_category().message(error_number)))
      .hint("is the server running, and reachable from here?");
}

// One address of several; 0 or an errno value.
Result<int> connect_one(const Fd& fd, const addrinfo& address, Clock::time_point end,
                        CancelToken cancel) {
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd ready{fd.get(), POLLOUT, 0};
  while (ready.revents == 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    CL_CHECK(wait_for(std::span(&ready, 1), left, cancel));
  }
  int failed = 0;
  socklen_t size = sizeof failed;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0) return errno;
  return failed;
}

Io blocked(short events) {
  return {0, false, events};
}

}  // namespace

std::string HostPort::str() const {
  return host.find(':') == std::string::npos ? cat(host, ":", port) : cat("[", host, "]:", port);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort out{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  const auto port = parse_u64(out.port);
  if (!port || *port > 65535) return std::nullopt;
  const bool bracketed = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
  if (bracketed) out.host = out.host.substr(1, out.host.size() - 2);
  const bool colons = out.host.find(':') != std::string::npos;
  if (colons != bracketed || out.host.find_first_of("/ []@") != std::string::npos)
    return std::nullopt;
  return out;
}

Result<Fd> connect_to(const HostPort& to, std::chrono::milliseconds timeout, CancelToken cancel) {
  CL_TRY(const Addresses addresses, resolve(to, 0));
  const auto end = Clock::now() + timeout;
  int left = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) ++left;
  int failed = ETIMEDOUT;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next, --left) {
    Fd fd = socket_for(*at);
    if (!fd.valid()) {  // this machine may not speak that family
      failed = errno;
      continue;
    }
    // One address that nobody answers at must not take the time of the others.
    const auto now = Clock::now();
    CL_TRY(failed, connect_one(fd, *at, now + (end - now) / left, cancel));
    if (failed != 0) continue;
    set_connection_options(fd);
    return fd;
  }
  return no_answer(to, failed);
}

Result<Fd> listen_on(const HostPort& at) {
  CL_TRY(const Addresses addresses, resolve(at, AI_PASSIVE));
  Fd fd = socket_for(*addresses);
  if (!fd.valid()) return Error::io_errno("cannot make a socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0)
    return Error::io_errno(cat("cannot listen on ", quote(at.str())), errno)
        .hint("choose another address or port; port 0 takes a free one");
  return fd;
}

Result<HostPort> local_address(const Fd& fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: how the interface is made
  if (::getsockname(fd.get(), generic, &size) != 0 ||
      ::getnameinfo(generic, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return Error::io_errno("cannot tell the address of a socket", errno);
  return HostPort{host.data(), port.data()};
}

Result<std::optional<Fd>> accept_one(const Fd& listener) {
  const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    Fd client(fd);
    set_connection_options(client);
    return std::optional<Fd>(std::move(client));
  }
  if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
    return Error::io_errno("cannot accept a connection", errno);
  // Whoever came has gone: the next wait will tell. When there is no room it would tell at once.
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
    ::poll(nullptr, 0, static_cast<int>(kLook.count()));
  return std::optional<Fd>();
}

void reset_on_close(const Fd& fd) {
  const linger now{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

Result<Io> read_some(const Fd& fd, std::span<std::byte> out) {
  const ssize_t n = ::recv(fd.get(), out.data(), out.size(), 0);
  if (n > 0) return Io{static_cast<std::size_t>(n), false, 0};
  if (n == 0) return Io{0, true, 0};
  if (errno == EAGAIN || errno == EINTR) return blocked(POLLIN);
  return Error::unavailable(cat("a connection broke: ", std::generic_category().message(errno)));
}

Result<Io> write_some(const Fd& fd, ByteView bytes) {
  const ssize_t n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0) return Io{static_cast<std::size_t>(n), false, 0};
  if (errno == EAGAIN || errno == EINTR) return blocked(POLLOUT);
  if (errno == EPIPE) return Io{0, true, 0};
  return Error::unavailable(cat("a connection broke: ", std::generic_category().message(errno)));
}

Status wait_for(std::span<struct pollfd> fds, std::chrono::milliseconds most, CancelToken cancel) {
  const auto end = Clock::now() + most;
  for (;;) {
    CL_CHECK(cancel.check());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    const auto now = std::clamp(left, std::chrono::milliseconds(0), kLook);
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(now.count()));
    if (ready < 0 && errno != EINTR) return Error::io_errno("cannot wait for sockets", errno);
    if (ready > 0 || left.count() <= 0) return cancel.check();
  }
}

}  // namespace cloister::net
