#include "cmd/relay.h"

#include <sys/socket.h>

#include <array>

namespace cloister::cmd {
namespace {

constexpr std::chrono::seconds kAskAgain(30);

// What waits to be passed on in one direction.
struct Way {
  std::array<std::byte, 16 << 10> buffer{};
  std::size_t begin = 0, end = 0;
  bool source_ended = false, sink_told = false;

  bool empty() const { return begin == end; }
  bool finished() const { return source_ended && empty() && sink_told; }
  void filled(const net::Io& io) {
    begin = 0;
    end = io.bytes;
    source_ended = io.closed;
  }
  ByteView waiting() const { return ByteView(buffer).subspan(begin, end - begin); }
  void give_up() {
    begin = end;
    source_ended = sink_told = true;
  }
};

class Relay {
 public:
  Relay(const Fd& client, net::TlsConnection server)
      : client_(client), server_(std::move(server)) {}

  Status run(const std::function<Status()>& still_good, CancelToken cancel) {
    // A server that has ended takes no more: what the client would still send goes nowhere.
    while (!down_.finished()) {
      CL_CHECK(cancel.check());
      CL_CHECK(still_good());
      client_events_ = server_events_ = 0;
      moved_ = false;
      CL_CHECK(step_up());
      CL_CHECK(step_down());
      if (moved_) continue;
      std::array<pollfd, 2> fds = {
          pollfd{client_events_ == 0 ? -1 : client_.get(), client_events_, 0},
          pollfd{server_events_ == 0 ? -1 : server_.fd().get(), server_events_, 0}};
      CL_CHECK(net::wait_for(fds, kAskAgain, cancel));
    }
    return {};
  }

 private:
  Status step_up() {
    if (up_.empty() && !up_.source_ended) {
      CL_TRY(const net::Io io, net::read_some(client_, up_.buffer));
      up_.filled(io);
      note(io, client_events_);
    }
    if (!up_.empty()) {
      const auto io = server_.write(up_.waiting());
      if (!io.has_value()) {
        up_.give_up();
        return {};
      }
      up_.begin += io->bytes;
      note(*io, server_events_);
    }
    if (up_.empty() && up_.source_ended && !up_.sink_told) {
      const net::Io io = server_.end_writing();
      up_.sink_told = io.closed;
      note(io, server_events_);
    }
    return {};
  }

  Status step_down() {
    if (down_.empty() && !down_.source_ended) {
      CL_TRY(const net::Io io, server_.read(down_.buffer));
      down_.filled(io);
      note(io, server_events_);
    }
    if (!down_.empty()) {
      CL_TRY(const net::Io io, net::write_some(client_, down_.waiting()));
      if (io.closed) return Error::unavailable("the client has gone");
      down_.begin += io.bytes;
      note(io, client_events_);
    }
    if (down_.empty() && down_.source_ended && !down_.sink_told) {
      ::shutdown(client_.get(), SHUT_WR);
      down_.sink_told = true;
    }
    return {};
  }

  void note(const net::Io& io, short& events) {
    moved_ = moved_ || io.bytes > 0 || io.closed;
    events = static_cast<short>(events | io.wait_for);
  }

  const Fd& client_;
  net::TlsConnection server_;
  Way up_, down_;
  short client_events_ = 0, server_events_ = 0;
  bool moved_ = false;
};

}  // namespace

Status relay(const Fd& client, net::TlsConnection server, const std::function<Status()>& still_good,
             CancelToken cancel) {
  return Relay(client, std::move(server)).run(still_good, cancel);
}

}  // namespace cloister::cmd
