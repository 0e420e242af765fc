// What passes between a client and a TLS server, and how each of them may end.
#include "cmd/relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <future>
#include <thread>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/base/tls_server.h"

namespace cloister::cmd {
namespace {

using namespace std::chrono_literals;

Status yes() {
  return {};
}

// The client of a relay: a thread of the test's own speaks from here, blocking.
class Client {
 public:
  Client() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    here_ = Fd(ends[0]);
    there_ = Fd(ends[1]);
    ::fcntl(there_.get(), F_SETFL, O_NONBLOCK);
  }
  const Fd& there() const { return there_; }
  bool send(std::string_view text) const {
    return ::send(here_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  void end() const { ::shutdown(here_.get(), SHUT_WR); }
  void leave() { here_ = Fd(); }
  std::string receive() const {
    std::string out;
    std::array<char, 65536> piece{};
    for (;;) {
      const ssize_t n = ::recv(here_.get(), piece.data(), piece.size(), 0);
      if (n <= 0) return out;
      out.append(piece.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  Fd here_, there_;
};

class Relayed : public testing::Test {
 protected:
  Relayed() { ::signal(SIGPIPE, SIG_IGN); }

  // Runs the relay in a thread; the end that the client sees is that of the descriptor.
  std::future<Status> start(const Client& client, const TlsServer& server,
                            std::function<Status()> still_good = yes, CancelToken cancel = {}) {
    auto connection = must(net::TlsConnection::connect(server.address(), 5s, {}));
    return std::async(std::launch::async, [&client, still_good = std::move(still_good), cancel,
                                           connection = std::move(connection)]() mutable {
      auto done = relay(client.there(), std::move(connection), still_good, cancel);
      if (!done.has_value()) ::shutdown(client.there().get(), SHUT_RDWR);
      return done;
    });
  }
};

TEST_F(Relayed, BothHalvesEndByThemselves) {
  const TlsServer server([](SSL* tls) {
    const std::string question = read_all(tls);  // until the client has ended its half
    write_all(tls, cat(question, " - an answer"));
    SSL_shutdown(tls);
  });
  const Client client;
  auto done = start(client, server);
  EXPECT_TRUE(client.send("a question"));
  client.end();
  EXPECT_EQ(client.receive(), "a question - an answer");
  EXPECT_TRUE(done.get().has_value());
}

TEST_F(Relayed, TheServerMayEndFirst) {
  const TlsServer server([](SSL* tls) {
    write_all(tls, "a greeting");
    SSL_shutdown(tls);
    read_all(tls);
  });
  const Client client;
  auto done = start(client, server);
  EXPECT_EQ(client.receive(), "a greeting");  // and the client has said nothing
  EXPECT_TRUE(done.get().has_value());
}

TEST_F(Relayed, MuchPassesBothWays) {
  const TlsServer server([](SSL* tls) {
    std::array<char, 10000> piece{};
    for (int n = 0; (n = SSL_read(tls, piece.data(), piece.size())) > 0;)
      write_all(tls, std::string_view(piece.data(), static_cast<std::size_t>(n)));
    SSL_shutdown(tls);
  });
  const Client client;
  auto done = start(client, server);
  std::string much(3'000'001, 'x');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * i >> 7);
  std::thread sending([&] {
    EXPECT_TRUE(client.send(much));
    client.end();
  });
  EXPECT_TRUE(client.receive() == much);
  sending.join();
  EXPECT_TRUE(done.get().has_value());
}

TEST_F(Relayed, AnEndThatTheServerDidNotSayIsAnError) {
  const TlsServer server([](SSL* tls) { write_all(tls, "half of it"); });
  const Client client;
  auto done = start(client, server);
  EXPECT_EQ(client.receive(), "half of it");
  EXPECT_EQ(done.get().error().code(), Code::corrupt);
}

// As a server does that refuses a large upload: it answers, and reads no further.
TEST_F(Relayed, AnAnswerCountsThoughTheServerTakesNoMore) {
  std::promise<void> filled;
  const TlsServer server([&](SSL* tls) {
    filled.get_future().wait();
    write_all(tls, "too large");
    SSL_shutdown(tls);
    ::shutdown(SSL_get_fd(tls), SHUT_WR);
    read_all(tls);
  });
  const Client client;
  auto done = start(client, server);
  std::thread sending([&] {
    const std::string block(100'000, 'x');
    client.send(block);
    filled.set_value();
    while (client.send(block)) {
    }
  });
  EXPECT_EQ(client.receive(), "too large");
  EXPECT_TRUE(done.get().has_value());
  ::shutdown(client.there().get(), SHUT_RDWR);
  sending.join();
}

TEST_F(Relayed, AClientThatLeavesEndsIt) {
  const TlsServer server([](SSL* tls) {
    while (write_all(tls, std::string(10'000, 'x'))) {
    }
  });
  Client client;
  auto done = start(client, server);
  client.leave();
  EXPECT_EQ(done.get().error().code(), Code::unavailable);
}

// Proof that runs out ends a connection, however much flows through it.
TEST_F(Relayed, ItIsAskedAgainWhileDataFlows) {
  const TlsServer server([](SSL* tls) {
    while (write_all(tls, std::string(10'000, 'x'))) {
    }
  });
  const Client client;
  int asked = 0;
  auto done = start(client, server, [&]() -> Status {
    if (++asked < 50) return {};
    return Error::policy("not valid any more");
  });
  EXPECT_FALSE(client.receive().empty());
  EXPECT_EQ(done.get().error().code(), Code::policy);
}

TEST_F(Relayed, ItCanBeCancelled) {
  for (const bool flowing : {false, true}) {
    const TlsServer server([flowing](SSL* tls) {
      while (flowing && write_all(tls, std::string(10'000, 'x'))) {
      }
      read_all(tls);
    });
    const Client client;
    std::atomic<bool> cancelled = false;
    auto done = start(client, server, yes, CancelToken(&cancelled));
    std::thread later([&] {
      std::this_thread::sleep_for(50ms);
      cancelled = true;
    });
    client.receive();
    later.join();
    EXPECT_EQ(done.get().error().code(), Code::cancelled);
  }
}

}  // namespace
}  // namespace cloister::cmd
