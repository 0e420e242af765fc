// DHCP as RFC 2131 and 2132 have it, and from hosts that mean no good.
#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "manifest-gen/guest/init/dhcp.h"
}

namespace cloister {
namespace {

using Message = std::vector<std::uint8_t>;

constexpr std::uint8_t kHardware[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr std::uint32_t kTransaction = 0x01020304;
constexpr std::size_t kOptionsAt = 240;

std::uint32_t address(const char* text) {
  in_addr out{};
  EXPECT_EQ(inet_pton(AF_INET, text, &out), 1) << text;
  return out.s_addr;
}

Message made(int type, const struct lease* asked, std::uint32_t current) {
  Message out(kDhcpMessageSize, 0xee);
  make_dhcp_message(out.data(), type, kTransaction, kHardware, asked, current);
  return out;
}

// The options of a message, in their order: code, then bytes.
std::vector<std::pair<int, Message>> options(const Message& message) {
  std::vector<std::pair<int, Message>> out;
  for (std::size_t at = kOptionsAt; at < message.size() && message[at] != 255;) {
    const std::size_t size = message.at(at + 1);
    EXPECT_LE(at + 2 + size, message.size());
    const auto* start = message.data() + at + 2;
    out.emplace_back(message[at], Message(start, start + size));
    at += 2 + size;
  }
  return out;
}

Message bytes_of(std::uint32_t address) {
  Message out(4);
  std::memcpy(out.data(), &address, 4);
  return out;
}

const std::pair<int, Message> kParameters = {55, {1, 3, 6, 26, 51, 58}};

// RFC 2131, figure 1.
TEST(DhcpMessage, HasTheFieldsOfBootp) {
  const Message message = made(kDhcpDiscover, nullptr, 0);
  ASSERT_EQ(message.size(), 300U);
  Message head = {1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0};  // op … xid, secs, flags: broadcast
  head.resize(28);                                         // ciaddr, yiaddr, siaddr, giaddr
  head.insert(head.end(), std::begin(kHardware), std::end(kHardware));
  head.resize(236);  // chaddr, sname, file
  head.insert(head.end(), {99, 130, 83, 99});
  EXPECT_EQ(Message(message.begin(), message.begin() + kOptionsAt), head);
  EXPECT_EQ(options(message),
            (std::vector<std::pair<int, Message>>{{53, {kDhcpDiscover}}, kParameters}));
}

// RFC 2131, table 4.
TEST(DhcpMessage, ARequestNamesWhatWasOffered) {
  struct lease offered {};
  offered.address = address("10.0.2.15");
  offered.server = address("10.0.2.2");
  const Message selecting = made(kDhcpRequest, &offered, 0);
  EXPECT_EQ(selecting[10], 0x80);
  EXPECT_EQ(Message(selecting.begin() + 12, selecting.begin() + 16), Message(4));
  EXPECT_EQ(options(selecting),
            (std::vector<std::pair<int, Message>>{{53, {kDhcpRequest}},
                                                  {50, bytes_of(offered.address)},
                                                  {54, bytes_of(offered.server)},
                                                  kParameters}));
  offered.server = 0;
  EXPECT_EQ(options(made(kDhcpRequest, &offered, 0)).size(), 3U);
}

TEST(DhcpMessage, WhoRenewsSaysWhatItHas) {
  struct lease offered {};
  offered.address = address("10.0.2.15");
  offered.server = address("10.0.2.2");
  const Message renewing = made(kDhcpRequest, &offered, offered.address);
  EXPECT_EQ(renewing[10], 0);
  EXPECT_EQ(Message(renewing.begin() + 12, renewing.begin() + 16), bytes_of(offered.address));
  EXPECT_EQ(options(renewing),
            (std::vector<std::pair<int, Message>>{{53, {kDhcpRequest}}, kParameters}));
}

Message answer(const Message& options) {
  Message out(kOptionsAt);
  out[0] = 2;
  out[1] = 1;
  out[2] = 6;
  for (int i = 0; i < 4; ++i)
    out[4 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i + 1);
  const Message yours = bytes_of(address("10.0.2.15"));
  std::copy(yours.begin(), yours.end(), out.begin() + 16);
  std::copy(std::begin(kHardware), std::end(kHardware), out.begin() + 28);
  const Message magic = {99, 130, 83, 99};
  std::copy(magic.begin(), magic.end(), out.begin() + 236);
  out.insert(out.end(), options.begin(), options.end());
  return out;
}

struct Read {
  bool ok = false;
  int type = 0;
  struct lease lease {};
};

// From memory of exactly that size: a sanitizer sees what is read beyond it.
Read read(const Message& message) {
  Read out;
  const auto exact = std::make_unique<std::uint8_t[]>(message.size());  // NOLINT: exactly this size
  std::copy(message.begin(), message.end(), exact.get());
  out.ok = read_dhcp_message(exact.get(), message.size(), kTransaction, kHardware, &out.type,
                             &out.lease);
  return out;
}

TEST(DhcpAnswer, IsRead) {
  const Read got = read(answer({53, 1, kDhcpAck,                                 //
                                1,  4, 255,      255,  255,  0,                  //
                                0,  0,                                           // padding
                                3,  8, 10,       0,    2,    2,    10, 0, 2, 9,  // the first router
                                6,  8, 10,       0,    2,    3,    9,  9, 9, 9,  //
                                26, 2, 0x05,     0x78,                           //
                                51, 4, 0,        1,    0x51, 0x80,               //
                                58, 4, 0,        0,    0xa8, 0xc0,               //
                                54, 4, 10,       0,    2,    2,                  //
                                15, 3, 'l',      'a',  'n',  255,  53, 1, 6}));  // behind the end
  ASSERT_TRUE(got.ok);
  EXPECT_EQ(got.type, kDhcpAck);
  EXPECT_EQ(got.lease.address, address("10.0.2.15"));
  EXPECT_EQ(got.lease.netmask, address("255.255.255.0"));
  EXPECT_EQ(got.lease.gateway, address("10.0.2.2"));
  EXPECT_EQ(got.lease.server, address("10.0.2.2"));
  ASSERT_EQ(got.lease.name_server_count, 2U);
  EXPECT_EQ(got.lease.name_servers[0], address("10.0.2.3"));
  EXPECT_EQ(got.lease.name_servers[1], address("9.9.9.9"));
  EXPECT_EQ(got.lease.mtu, 1400);
  EXPECT_EQ(got.lease.seconds, 86400U);
  EXPECT_EQ(got.lease.renew_after, 43200U);
}

TEST(DhcpAnswer, NeedsNoMoreThanAType) {
  for (const Message& options : {Message{53, 1, kDhcpOffer, 255}, {53, 1, kDhcpOffer}}) {
    const Read got = read(answer(options));
    ASSERT_TRUE(got.ok);
    EXPECT_EQ(got.type, kDhcpOffer);
    EXPECT_EQ(got.lease.netmask, 0U);
    EXPECT_EQ(got.lease.name_server_count, 0U);
    EXPECT_EQ(got.lease.seconds, 0U);
  }
}

TEST(DhcpAnswer, OfAnotherIsNone) {
  const Message whole = answer({53, 1, kDhcpAck, 255});
  ASSERT_TRUE(read(whole).ok);
  for (const std::size_t at : {0, 4, 5, 6, 7, 28, 33, 236, 239}) {
    Message other = whole;
    other[at] ^= 0x01;
    EXPECT_FALSE(read(other).ok) << at;
  }
  EXPECT_FALSE(read(made(kDhcpDiscover, nullptr, 0)).ok);  // our own
}

TEST(DhcpAnswer, WithoutATypeIsNone) {
  EXPECT_FALSE(read(answer({255, 53, 1, 5})).ok);
  EXPECT_FALSE(read(answer({})).ok);
  EXPECT_FALSE(read(answer({53, 0, 255})).ok);
  EXPECT_FALSE(read(answer({53, 2, 5, 5, 255})).ok);
  EXPECT_FALSE(read(answer({53, 1, 0, 255})).ok);
}

TEST(DhcpAnswer, EveryTruncationIsHarmless) {
  const Message whole =
      answer({53, 1, 5, 6, 12, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 1, 4, 9, 9, 9, 9});
  ASSERT_TRUE(read(whole).ok);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Read got =
        read(Message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    // Only between two options is there a message.
    EXPECT_EQ(got.ok, size == kOptionsAt + 3 || size == kOptionsAt + 17) << size;
  }
}

TEST(DhcpAnswer, OptionsThatLieAreRefused) {
  for (const Message& options : {Message{53, 1, 5, 1},
                                 {53, 1, 5, 1, 255},
                                 {53, 1, 5, 6, 255, 1, 1, 1, 1},
                                 {53, 1, 5, 99, 1}})
    EXPECT_FALSE(read(answer(options)).ok);
}

TEST(DhcpAnswer, OptionsOfOtherSizesSayNothing) {
  const Read got = read(answer({53, 1, 5, 1, 3,  255, 255, 255, 3, 0, 54, 1, 9, 51, 2, 1, 1, 58,
                                3,  1, 1, 1, 26, 1,   9,   26,  3, 1, 2,  3, 6, 3,  9, 9, 9, 255}));
  ASSERT_TRUE(got.ok);
  EXPECT_EQ(got.lease.netmask, 0U);
  EXPECT_EQ(got.lease.gateway, 0U);
  EXPECT_EQ(got.lease.server, 0U);
  EXPECT_EQ(got.lease.seconds, 0U);
  EXPECT_EQ(got.lease.renew_after, 0U);
  EXPECT_EQ(got.lease.mtu, 0);
  EXPECT_EQ(got.lease.name_server_count, 0U);
}

TEST(DhcpAnswer, NameServersAreBounded) {
  Message options = {53, 1, 5, 6, 255};
  for (int i = 0; i < 255; ++i) options.push_back(static_cast<std::uint8_t>(i));
  const Read got = read(answer(options));
  ASSERT_TRUE(got.ok);
  ASSERT_EQ(got.lease.name_server_count, 3U);
  EXPECT_EQ(got.lease.name_servers[2], address("8.9.10.11"));
}

}  // namespace
}  // namespace cloister
