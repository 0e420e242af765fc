#include "manifest-gen/guest/init/dhcp.h"

#include <string.h>

// Offsets in a BOOTP message, and the options that follow its magic cookie.
enum {
  kOperation = 0,
  kHardwareType = 1,
  kHardwareLength = 2,
  kTransaction = 4,
  kFlags = 10,
  kClientAddress = 12,
  kYourAddress = 16,
  kHardware = 28,
  kCookie = 236,
  kOptions = 240,

  kOptionPad = 0,
  kOptionNetmask = 1,
  kOptionRouter = 3,
  kOptionNameServer = 6,
  kOptionMtu = 26,
  kOptionRequested = 50,
  kOptionLeaseTime = 51,
  kOptionType = 53,
  kOptionServer = 54,
  kOptionParameters = 55,
  kOptionRenewal = 58,
  kOptionEnd = 255,
};

static const uint8_t kMagic[4] = {99, 130, 83, 99};

static void put32(uint8_t* out, uint32_t host_order) {
  for (int i = 0; i < 4; ++i) out[i] = (uint8_t)(host_order >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t* in) {
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static uint8_t* put_address_option(uint8_t* out, uint8_t option, uint32_t address) {
  *out++ = option;
  *out++ = sizeof address;
  memcpy(out, &address, sizeof address);
  return out + sizeof address;
}

void make_dhcp_message(uint8_t out[kDhcpMessageSize], int type, uint32_t transaction,
                       const uint8_t hardware[6], const struct lease* asked, uint32_t current) {
  memset(out, 0, kDhcpMessageSize);
  out[kOperation] = 1;
  out[kHardwareType] = 1;  // Ethernet
  out[kHardwareLength] = 6;
  put32(out + kTransaction, transaction);
  // Without an address of its own the client sees only what is sent to all.
  if (current == 0) out[kFlags] = 0x80;
  memcpy(out + kClientAddress, &current, sizeof current);
  memcpy(out + kHardware, hardware, 6);
  memcpy(out + kCookie, kMagic, sizeof kMagic);
  uint8_t* option = out + kOptions;
  *option++ = kOptionType;
  *option++ = 1;
  *option++ = (uint8_t)type;
  // RFC 2131, table 4: who renews names neither, the message itself says it.
  if (asked != NULL && current == 0) {
    option = put_address_option(option, kOptionRequested, asked->address);
    if (asked->server != 0) option = put_address_option(option, kOptionServer, asked->server);
  }
  static const uint8_t kWanted[] = {kOptionNetmask,   kOptionRouter,    kOptionNameServer,
                                    kOptionMtu,       kOptionLeaseTime, kOptionRenewal};
  *option++ = kOptionParameters;
  *option++ = sizeof kWanted;
  memcpy(option, kWanted, sizeof kWanted);
  option[sizeof kWanted] = kOptionEnd;
}

static void take_name_servers(const uint8_t* value, size_t size, struct lease* out) {
  out->name_server_count = 0;
  for (size_t at = 0; at + 4 <= size && out->name_server_count < kMaxNameServers; at += 4)
    memcpy(&out->name_servers[out->name_server_count++], value + at, 4);
}

static void take_option(uint8_t option, const uint8_t* value, size_t size, int* type,
                        struct lease* out) {
  if (option == kOptionNameServer) take_name_servers(value, size, out);
  if (option == kOptionType && size == 1) *type = value[0];
  if (option == kOptionMtu && size == 2) out->mtu = (uint16_t)(value[0] << 8 | value[1]);
  if (size < 4) return;
  if (option == kOptionNetmask) memcpy(&out->netmask, value, 4);
  if (option == kOptionRouter) memcpy(&out->gateway, value, 4);
  if (option == kOptionServer) memcpy(&out->server, value, 4);
  if (option == kOptionLeaseTime) out->seconds = get32(value);
  if (option == kOptionRenewal) out->renew_after = get32(value);
}

bool read_dhcp_message(const uint8_t* bytes, size_t size, uint32_t transaction,
                       const uint8_t hardware[6], int* type, struct lease* out) {
  if (size < kOptions || bytes[kOperation] != 2 || get32(bytes + kTransaction) != transaction ||
      memcmp(bytes + kHardware, hardware, 6) != 0 ||
      memcmp(bytes + kCookie, kMagic, sizeof kMagic) != 0)
    return false;
  *type = 0;
  memset(out, 0, sizeof *out);
  memcpy(&out->address, bytes + kYourAddress, sizeof out->address);
  for (size_t at = kOptions; at < size && bytes[at] != kOptionEnd;) {
    const uint8_t option = bytes[at++];
    if (option == kOptionPad) continue;
    if (at == size || bytes[at] > size - at - 1) return false;
    take_option(option, bytes + at + 1, bytes[at], type, out);
    at += 1U + bytes[at];
  }
  return *type != 0;
}
