// DHCP messages (RFC 2131, RFC 2132): made and read, with nothing sent. What comes from the network
// is whatever the host wants it to be.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  kDhcpDiscover = 1,
  kDhcpOffer = 2,
  kDhcpRequest = 3,
  kDhcpAck = 5,
  kDhcpNak = 6,
  kDhcpMessageSize = 300,  // BOOTP's, which some servers insist on
  kMaxNameServers = 3,     // what resolv.conf(5) takes
};

// Addresses are in network byte order.
struct lease {
  uint32_t address, netmask, gateway, server;  // 0: not said
  uint32_t name_servers[kMaxNameServers];
  size_t name_server_count;
  uint32_t seconds, renew_after;  // 0: not said
  uint16_t mtu;                   // bytes; 0: not said
};

// A message of the client with this Ethernet address. `asked`: null in a DISCOVER; in a REQUEST
// what was offered. `current`: the address that is in use and to be kept, or 0.
void make_dhcp_message(uint8_t out[kDhcpMessageSize], int type, uint32_t transaction,
                       const uint8_t hardware[6], const struct lease* asked, uint32_t current);

// An answer to that client's transaction. False when it is none, or malformed.
bool read_dhcp_message(const uint8_t* bytes, size_t size, uint32_t transaction,
                       const uint8_t hardware[6], int* type, struct lease* out);
