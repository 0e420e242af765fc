// Sockets and TLS connections against servers of this process, which behave or do not.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "base/net/socket.h"
#include "base/net/tls_connection.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/base/tls_server.h"

namespace cloister::net {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string host_port(std::string_view text) {
  const auto parsed = parse_host_port(text);
  return parsed ? cat(parsed->host, " ", parsed->port) : "none";
}

TEST(HostPort, IsParsedStrictly) {
  EXPECT_EQ(host_port("enclave.example:8443"), "enclave.example 8443");
  EXPECT_EQ(host_port("127.0.0.1:0"), "127.0.0.1 0");
  EXPECT_EQ(host_port("[::1]:443"), "::1 443");
  EXPECT_EQ(host_port("[fe80::1%eth0]:443"), "fe80::1%eth0 443");
  EXPECT_EQ(host_port(":6379"), " 6379");
  for (const char* bad : {"",
                          ":",
                          "host",
                          "host:",
                          "host:x",
                          "host:-1",
                          "host:+1",
                          "host:65536",
                          "host: 1",
                          "host:1 ",
                          "host:99999999999999999999",
                          "::1:443",
                          "::1",
                          "[::1]",
                          "[::1]443",
                          "[::1:443",
                          "::1]:443",
                          "[]:443",
                          "[host]:443",
                          "[[::1]]:443",
                          "http://host:80",
                          "user@host:80",
                          "a b:80",
                          "host:80/"})
    EXPECT_EQ(host_port(bad), "none") << bad;
}

TEST(HostPort, IsWrittenAsItIsRead) {
  for (const char* text : {"enclave.example:8443", "[::1]:443", ":6379"})
    EXPECT_EQ(parse_host_port(text).value_or(HostPort()).str(), text);
}

// A listener of which nobody accepts.
struct Silent {
  Fd listener = must(listen_on({"127.0.0.1", "0"}));
  HostPort address = must(local_address(listener));
};

TEST(Connect, RefusedIsUnavailableAtOnce) {
  HostPort address;
  {
    const Silent gone;
    address = gone.address;
  }
  const auto from = Clock::now();
  const auto connected = connect_to(address, 10s, {});
  EXPECT_EQ(connected.error().code(), Code::unavailable);
  EXPECT_FALSE(connected.error().hint().empty());
  EXPECT_LT(Clock::now() - from, 5s);
}

TEST(Connect, ANameWithoutAnAddressIsNotFound) {
  EXPECT_EQ(connect_to({"name.invalid", "1"}, 1s, {}).error().code(), Code::not_found);
}

TEST(Connect, EveryAddressOfANameIsTried) {
  // localhost may be ::1 as well, where nobody listens.
  const Silent server;
  EXPECT_TRUE(connect_to({"localhost", server.address.port}, 5s, {}).has_value());
}

// A queue that is full answers nobody, as a machine that is not there.
TEST(Connect, SilenceEndsInTime) {
  Fd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(full.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);  // NOLINT
  ASSERT_EQ(::listen(full.get(), 0), 0);
  const HostPort address = must(local_address(full));
  std::vector<Fd> waiting;
  for (int i = 0; i < 8; ++i) {
    auto one = connect_to(address, 300ms, {});
    if (!one.has_value()) {
      EXPECT_EQ(one.error().code(), Code::unavailable);
      return;
    }
    waiting.push_back(std::move(*one));
  }
  GTEST_SKIP() << "this system queues more connections than it was asked to";
}

TEST(Accept, WithoutRoomPausesAndGoesOn) {
  const Silent server;
  const Fd client = must(connect_to(server.address, 5s, {}));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto from = Clock::now();
  const auto nobody = accept_one(server.listener);
  const auto took = Clock::now() - from;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(nobody.has_value());
  EXPECT_FALSE(nobody->has_value());
  EXPECT_GE(took, 100ms);  // or a loop around it would spin
  EXPECT_TRUE(must(accept_one(server.listener)).has_value());
  EXPECT_FALSE(must(accept_one(server.listener)).has_value());
}

TEST(Reset, IsSeenAsAFailureAndNoEnd) {
  for (const bool reset : {false, true}) {
    const Silent server;
    const Fd client = must(connect_to(server.address, 5s, {}));
    {
      const Fd accepted = std::move(*must(accept_one(server.listener)));
      if (reset) reset_on_close(accepted);
    }
    pollfd ready{client.get(), POLLIN, 0};
    ASSERT_TRUE(wait_for(std::span(&ready, 1), 5s, {}).has_value());
    std::array<std::byte, 8> buffer{};
    const auto read = read_some(client, buffer);
    EXPECT_EQ(read.has_value(), !reset);
    EXPECT_EQ(read.has_value() && read->closed, !reset);
  }
}

TEST(Listen, WhereSomebodyElseDoesIsAnError) {
  const Silent server;
  const auto second = listen_on(server.address);
  EXPECT_EQ(second.error().code(), Code::io);
  EXPECT_FALSE(second.error().hint().empty());
}

TEST(Wait, EndsWhenItIsCancelledOrTimeIsUp) {
  const Silent server;
  pollfd never{server.listener.get(), POLLIN, 0};
  EXPECT_TRUE(wait_for(std::span(&never, 1), 10ms, {}).has_value());
  EXPECT_EQ(never.revents, 0);
  const std::atomic<bool> cancelled = true;
  EXPECT_EQ(wait_for(std::span(&never, 1), 10s, CancelToken(&cancelled)).error().code(),
            Code::cancelled);
}

class Tls : public testing::Test {
 protected:
  // OpenSSL writes to closed connections; the program ignores the signal as well.
  Tls() { ::signal(SIGPIPE, SIG_IGN); }
};

// Everything until the end; its error when that is none.
Result<std::string> read_to_end(TlsConnection& connection) {
  std::string out;
  std::array<std::byte, 4096> buffer{};
  for (;;) {
    CL_TRY(const Io io, connection.read(buffer));
    out += as_text(ByteView(buffer).first(io.bytes));
    if (io.closed) return out;
    if (io.wait_for == 0) continue;
    pollfd ready{connection.fd().get(), io.wait_for, 0};
    CL_CHECK(wait_for(std::span(&ready, 1), 10s, {}));
  }
}

TEST_F(Tls, TheCertificateIsTheServers) {
  const TlsServer server([](SSL*) {});
  const auto connection = must(TlsConnection::connect(server.address(), 5s, {}));
  const X509* own = SSL_CTX_get0_certificate(server.identity().server_context());
  Bytes der(static_cast<std::size_t>(i2d_X509(own, nullptr)));
  unsigned char* at = raw(der.data());
  i2d_X509(own, &at);
  EXPECT_EQ(connection.peer_certificate(), der);
}

TEST_F(Tls, AnEndIsAnEndOnlyWhenTheServerSaysSo) {
  for (const bool says : {true, false}) {
    const TlsServer server([says](SSL* tls) {
      write_all(tls, "half of it");
      if (says) SSL_shutdown(tls);
    });
    auto connection = must(TlsConnection::connect(server.address(), 5s, {}));
    const auto read = read_to_end(connection);
    ASSERT_EQ(read.has_value(), says);
    if (says)
      EXPECT_EQ(*read, "half of it");
    else
      EXPECT_EQ(read.error().code(), Code::corrupt);
  }
}

TEST_F(Tls, OneSideMayEndBeforeTheOther) {
  const TlsServer server([](SSL* tls) {
    const std::string got = read_all(tls);
    write_all(tls, cat("got ", got));
    SSL_shutdown(tls);
  });
  auto connection = must(TlsConnection::connect(server.address(), 5s, {}));
  EXPECT_EQ(must(connection.write(as_bytes("question"))).bytes, 8U);
  EXPECT_TRUE(connection.end_writing().closed);
  EXPECT_EQ(must(read_to_end(connection)), "got question");
}

// The end waits behind data that the peer does not take yet, and is not lost.
TEST_F(Tls, AnEndThatCannotBeSaidYetIsSaidLater) {
  std::promise<void> read_now;
  std::atomic<std::size_t> received = 0;
  const TlsServer server([&](SSL* tls) {
    read_now.get_future().wait();
    received = read_all(tls).size();
    SSL_shutdown(tls);
  });
  auto connection = must(TlsConnection::connect(server.address(), 5s, {}));
  const Bytes block(1 << 14);
  std::size_t sent = 0;
  for (;;) {
    const Io io = must(connection.write(block));
    sent += io.bytes;
    if (io.wait_for != 0) break;
  }
  // OpenSSL has a record of the last write that it has to get rid of first.
  read_now.set_value();
  for (;;) {
    const Io io = must(connection.write(block));
    sent += io.bytes;
    if (io.bytes > 0) break;
    pollfd ready{connection.fd().get(), io.wait_for, 0};
    ASSERT_TRUE(wait_for(std::span(&ready, 1), 10s, {}).has_value());
  }
  for (Io io = connection.end_writing(); !io.closed; io = connection.end_writing()) {
    pollfd ready{connection.fd().get(), io.wait_for, 0};
    ASSERT_TRUE(wait_for(std::span(&ready, 1), 10s, {}).has_value());
  }
  EXPECT_EQ(must(read_to_end(connection)), "");
  EXPECT_EQ(received, sent);
}

TEST_F(Tls, AServerThatSaysNothingIsGivenUp) {
  const Silent server;
  const auto from = Clock::now();
  const auto connection = TlsConnection::connect(server.address, 300ms, {});
  EXPECT_EQ(connection.error().code(), Code::unavailable);
  EXPECT_LT(Clock::now() - from, 5s);
}

// Time is for the whole handshake, however slowly it comes.
TEST_F(Tls, AServerThatDripsIsGivenUp) {
  const Silent server;
  std::atomic<bool> stop = false;
  std::thread dripping([&] {
    pollfd ready{server.listener.get(), POLLIN, 0};
    if (!wait_for(std::span(&ready, 1), 5s, {}).has_value()) return;
    const auto client = must(accept_one(server.listener));
    // The head of a handshake record of 16 KiB, and then a byte of it now and then.
    constexpr std::array<unsigned char, 5> kHead = {22, 3, 3, 0x40, 0};
    (void)write_some(*client, std::as_bytes(std::span(kHead)));
    while (!stop) {
      (void)write_some(*client, Bytes(1, std::byte{2}));
      std::this_thread::sleep_for(20ms);
    }
  });
  const auto from = Clock::now();
  const auto connection = TlsConnection::connect(server.address, 500ms, {});
  const auto took = Clock::now() - from;
  stop = true;
  dripping.join();
  EXPECT_EQ(connection.error().code(), Code::unavailable);
  EXPECT_LT(took, 5s);
}

TEST_F(Tls, AServerWithoutItIsNamed) {
  const Silent server;
  std::thread plain([&] {
    pollfd ready{server.listener.get(), POLLIN, 0};
    if (!wait_for(std::span(&ready, 1), 5s, {}).has_value()) return;
    const auto client = must(accept_one(server.listener));
    (void)write_some(*client, as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  const auto connection = TlsConnection::connect(server.address, 5s, {});
  plain.join();
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().code(), Code::unavailable);
  EXPECT_FALSE(connection.error().hint().empty());
}

TEST_F(Tls, AHandshakeCanBeCancelled) {
  const Silent server;
  std::atomic<bool> cancelled = false;
  std::thread later([&] {
    std::this_thread::sleep_for(100ms);
    cancelled = true;
  });
  const auto from = Clock::now();
  const auto connection = TlsConnection::connect(server.address, 30s, CancelToken(&cancelled));
  EXPECT_LT(Clock::now() - from, 5s);
  later.join();
  EXPECT_EQ(connection.error().code(), Code::cancelled);
}

}  // namespace
}  // namespace cloister::net
