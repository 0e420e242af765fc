// Any bytes as an answer by DHCP, to the transaction and the card that they name themselves: what
// is read is bounded, and asked for again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" {
#include "manifest-gen/guest/init/dhcp.h"
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kTransactionAt = 4, kHardwareAt = 28;
  std::uint32_t transaction = 0;
  std::uint8_t hardware[6] = {};
  if (size >= kHardwareAt + sizeof hardware) {
    for (const std::uint8_t byte : std::span(data + kTransactionAt, 4))
      transaction = transaction << 8 | byte;
    std::copy_n(data + kHardwareAt, sizeof hardware, hardware);
  }
  int type = 0;
  struct lease lease {};
  if (!read_dhcp_message(data, size, transaction, hardware, &type, &lease)) return 0;
  if (type < 1 || type > 255 || lease.name_server_count > kMaxNameServers) std::abort();
  std::uint8_t message[kDhcpMessageSize];
  make_dhcp_message(message, kDhcpRequest, transaction, hardware, &lease, 0);
  make_dhcp_message(message, kDhcpRequest, transaction, hardware, &lease, lease.address);
  return 0;
}
