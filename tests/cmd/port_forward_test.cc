#include "cmd/port_forward.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "base/text.h"

namespace cloister::cmd {
namespace {

std::string parsed(std::string_view text) {
  const auto port = parse_published_port(text);
  return port.has_value() ? cat(port->at.str(), " ", port->inside) : "refused";
}

TEST(PublishedPort, IsWrittenAsContainerEnginesDo) {
  EXPECT_EQ(parsed("80"), "127.0.0.1:80 80");
  EXPECT_EQ(parsed("8080:80"), "127.0.0.1:8080 80");
  EXPECT_EQ(parsed("8080:80/tcp"), "127.0.0.1:8080 80");
  EXPECT_EQ(parsed("0:80"), "127.0.0.1:0 80");
  EXPECT_EQ(parsed("0.0.0.0:8080:80"), "0.0.0.0:8080 80");
  EXPECT_EQ(parsed("[::1]:8080:80"), "[::1]:8080 80");
}

TEST(PublishedPort, RefusesWhatNamesNone) {
  for (const char* text : {"", "x", "80:", ":80", "0", "80:0", "65536", "80/udp", "a:b:80", "-1",
                           "80:80:80:80", "[::1]:80"})
    EXPECT_EQ(parsed(text), "refused") << text;
}

// An echo at the far end of a socket pair stands for the program.
TEST(PortForward, PassesBytesBothWaysAndTheEnd) {
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const Fd far(pair[1]);
  Fd near(pair[0]);
  PublishedPort port;
  port.at = {"127.0.0.1", "0"};
  port.inside = 7;
  std::uint16_t asked = 0;
  auto forward = PortForward::start({port}, [&](std::uint16_t inside) -> Result<Fd> {
    asked = inside;
    return std::move(near);
  });
  ASSERT_TRUE(forward.has_value());
  const auto client = net::connect_to((*forward)->addresses().front(), std::chrono::seconds(5), {});
  ASSERT_TRUE(client.has_value());
  const std::string sent(1 << 20, 'x');
  std::thread echo([&] {
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t got = recv(far.get(), piece.data(), piece.size(), 0);
      if (got <= 0) break;
      ASSERT_EQ(send(far.get(), piece.data(), static_cast<std::size_t>(got), 0), got);
    }
    shutdown(far.get(), SHUT_WR);
  });
  std::string back;
  std::size_t written = 0;
  std::array<std::byte, 4096> piece{};
  for (bool ended = false; !ended;) {
    if (written < sent.size()) {
      const auto io = net::write_some(*client, as_bytes(std::string_view(sent).substr(written)));
      ASSERT_TRUE(io.has_value());
      written += io->bytes;
      if (written == sent.size()) shutdown(client->get(), SHUT_WR);
    }
    const auto io = net::read_some(*client, piece);
    ASSERT_TRUE(io.has_value());
    back += as_text(ByteView(piece).first(io->bytes));
    ended = io->closed;
  }
  echo.join();
  forward->reset();  // its thread has ended before what it wrote is read
  EXPECT_EQ(asked, 7);
  EXPECT_EQ(back.size(), sent.size());
}

}  // namespace
}  // namespace cloister::cmd
