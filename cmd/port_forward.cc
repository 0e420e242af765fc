#include "cmd/port_forward.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <list>
#include <optional>

#include "base/text.h"

namespace cloister::cmd {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxConnections = 512;
constexpr auto kLookAgain = 200ms;  // at whether to stop

std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return port;
}

// One direction of a connection.
struct ForwardedDirection {
  std::array<std::byte, 64 << 10> buffer;
  std::size_t begin = 0, end = 0;
  bool source_ended = false, done = false;

  bool empty() const { return begin == end; }
  // Moves what can be moved; false: the connection is broken.
  bool step(const Fd& from, const Fd& to, short& from_events, short& to_events) {
    for (;;) {
      if (empty() && !source_ended) {
        const auto io = net::read_some(from, buffer);
        if (!io.has_value()) return false;
        begin = 0;
        end = io->bytes;
        source_ended = io->closed;
        if (empty() && !source_ended) {
          from_events = static_cast<short>(from_events | io->wait_for);
          return true;
        }
      }
      if (!empty()) {
        const auto io = net::write_some(to, ByteView(buffer).subspan(begin, end - begin));
        if (!io.has_value() || io->closed) return false;
        begin += io->bytes;
        if (!empty()) {
          to_events = static_cast<short>(to_events | io->wait_for);
          return true;
        }
      }
      if (source_ended && empty()) {
        if (!done) ::shutdown(to.get(), SHUT_WR);
        done = true;
        return true;
      }
    }
  }
};

struct ForwardedConnection {
  Fd outside, inside;
  std::unique_ptr<ForwardedDirection> in = std::make_unique<ForwardedDirection>();
  std::unique_ptr<ForwardedDirection> out = std::make_unique<ForwardedDirection>();

  bool step(short& outside_events, short& inside_events) {
    return in->step(outside, inside, outside_events, inside_events) &&
           out->step(inside, outside, inside_events, outside_events) && !(in->done && out->done);
  }
};

}  // namespace

Result<PublishedPort> parse_published_port(std::string_view text) {
  const auto refused = [&] {
    return Error::usage(cat("--publish ", quote(text), " names no port"))
        .hint("write --publish 8080:80 for port 80 of the program at 127.0.0.1:8080");
  };
  std::string_view rest = text;
  if (rest.ends_with("/tcp")) rest.remove_suffix(4);
  PublishedPort out;
  out.at.host = "127.0.0.1";
  const std::size_t last = rest.rfind(':');
  const auto inside = port_number(last == std::string_view::npos ? rest : rest.substr(last + 1));
  if (!inside || *inside == 0) return refused();
  out.inside = *inside;
  out.at.port = cat(*inside);
  if (last == std::string_view::npos) return out;
  rest = rest.substr(0, last);
  if (rest.find(':') == std::string_view::npos) {
    if (!port_number(rest)) return refused();
    out.at.port = std::string(rest);
    return out;
  }
  const auto at = net::parse_host_port(rest);
  if (!at || !port_number(at->port)) return refused();
  out.at = *at;
  return out;
}

Result<std::unique_ptr<PortForward>> PortForward::start(const std::vector<PublishedPort>& ports,
                                                        ConnectInside connect) {
  std::vector<Listener> listeners;
  std::vector<net::HostPort> addresses;
  for (const PublishedPort& port : ports) {
    CL_TRY(Fd fd, net::listen_on(port.at));
    CL_TRY(net::HostPort address, net::local_address(fd));
    listeners.push_back({std::move(fd), port.inside});
    addresses.push_back(std::move(address));
  }
  return std::unique_ptr<PortForward>(
      new PortForward(std::move(listeners), std::move(addresses), std::move(connect)));
}

PortForward::PortForward(std::vector<Listener> listeners, std::vector<net::HostPort> addresses,
                         ConnectInside connect)
    : listeners_(std::move(listeners)),
      addresses_(std::move(addresses)),
      connect_(std::move(connect)) {
  if (!listeners_.empty()) thread_ = std::thread([this] { run(); });
}

PortForward::~PortForward() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void PortForward::run() {
  std::list<ForwardedConnection> connections;
  std::vector<pollfd> waiting;
  while (!stop_) {
    waiting.clear();
    for (const Listener& listener : listeners_)
      waiting.push_back({connections.size() < kMaxConnections ? listener.fd.get() : -1, POLLIN, 0});
    for (auto at = connections.begin(); at != connections.end();) {
      short outside = 0, inside = 0;
      if (!at->step(outside, inside)) {
        at = connections.erase(at);
        continue;
      }
      waiting.push_back({outside == 0 ? -1 : at->outside.get(), outside, 0});
      waiting.push_back({inside == 0 ? -1 : at->inside.get(), inside, 0});
      ++at;
    }
    if (!net::wait_for(waiting, kLookAgain, CancelToken()).has_value()) return;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      auto client = net::accept_one(listeners_[i].fd);
      if (!client.has_value() || !*client) continue;
      auto inside = connect_(listeners_[i].inside);
      if (!inside.has_value()) {
        net::reset_on_close(**client);
        continue;
      }
      (void)fcntl(inside->get(), F_SETFL, O_NONBLOCK);
      connections.push_back({std::move(**client), std::move(*inside)});
    }
  }
}

}  // namespace cloister::cmd
