#include "manifest-gen/guest/init/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "manifest-gen/guest/init/dhcp.h"
#include "manifest-gen/guest/init/kernel_command_line.h"
#include "manifest-gen/guest/init/report.h"

enum { kServerPort = 67, kClientPort = 68, kTries = 6, kSmallestMtu = 576, kLargestMtu = 65520 };

struct interface {
  char name[IFNAMSIZ];
  uint8_t hardware[6];
};

static void pause_milliseconds(long milliseconds) {
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static struct ifreq request_for(const char* name) {
  struct ifreq out = {0};
  memcpy(out.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
  return out;
}

static bool bring_up(int control, const char* name) {
  struct ifreq request = request_for(name);
  if (ioctl(control, SIOCGIFFLAGS, &request) < 0) return false;
  request.ifr_flags |= IFF_UP;
  return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

// In the order of names, so that the same machine gives the same interface.
static bool first_ethernet(int control, struct interface* out) {
  struct if_nameindex* all = if_nameindex();
  bool found = false;
  for (struct if_nameindex* i = all; i != NULL && i->if_name != NULL; ++i) {
    struct ifreq request = request_for(i->if_name);
    if (found && strcmp(i->if_name, out->name) > 0) continue;
    if (ioctl(control, SIOCGIFHWADDR, &request) < 0 ||
        request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
      continue;
    memcpy(out->name, request.ifr_name, IFNAMSIZ);
    memcpy(out->hardware, request.ifr_hwaddr.sa_data, sizeof out->hardware);
    found = true;
  }
  if (all != NULL) if_freenameindex(all);
  return found;
}

static bool wait_for_ethernet(int control, struct interface* out) {
  for (int i = 0; i < 20; ++i) {
    if (first_ethernet(control, out)) return true;
    pause_milliseconds(100);
  }
  return false;
}

static void set_address(struct sockaddr* out, uint32_t address) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {address}};
  memcpy(out, &in, sizeof in);
}

// Answers whether the interface has its address; the rest is done as well as it can be.
static bool apply(int control, const struct interface* interface, const struct lease* lease) {
  struct ifreq request = request_for(interface->name);
  set_address(&request.ifr_addr, lease->address);
  if (ioctl(control, SIOCSIFADDR, &request) < 0) return false;
  if (lease->netmask != 0) {
    set_address(&request.ifr_netmask, lease->netmask);
    if (ioctl(control, SIOCSIFNETMASK, &request) < 0) return false;
  }
  if (lease->mtu >= kSmallestMtu && lease->mtu <= kLargestMtu) {
    request.ifr_mtu = lease->mtu;
    ioctl(control, SIOCSIFMTU, &request);
  }
  if (lease->gateway != 0) {
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
    set_address(&route.rt_dst, 0);
    set_address(&route.rt_genmask, 0);
    set_address(&route.rt_gateway, lease->gateway);
    if (ioctl(control, SIOCADDRT, &route) < 0 && errno != EEXIST)
      report("network: no route by the gateway: %s", strerror(errno));
  }
  return true;
}

static const char* address_text(uint32_t address, char out[INET_ADDRSTRLEN]) {
  return inet_ntop(AF_INET, &address, out, INET_ADDRSTRLEN);
}

static void write_name_servers(int resolv_conf, const struct lease* lease) {
  if (resolv_conf < 0 || lease->name_server_count == 0) return;
  char text[kMaxNameServers * 32];
  size_t used = 0;
  for (size_t i = 0; i < lease->name_server_count; ++i) {
    char address[INET_ADDRSTRLEN];
    used += (size_t)snprintf(text + used, sizeof text - used, "nameserver %s\n",
                             address_text(lease->name_servers[i], address));
  }
  if (ftruncate(resolv_conf, 0) < 0 || pwrite(resolv_conf, text, used, 0) < 0)
    report("network: resolv.conf: %s", strerror(errno));
}

// --- DHCP -----------------------------------------------------------------------------------------

static int client_socket(const struct interface* interface) {
  const int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(kClientPort)};
  if (out < 0) return -1;
  if (setsockopt(out, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
      setsockopt(out, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      setsockopt(out, SOL_SOCKET, SO_BINDTODEVICE, interface->name,
                 (socklen_t)strlen(interface->name) + 1) == 0 &&
      bind(out, (struct sockaddr*)&address, sizeof address) == 0)
    return out;
  close(out);
  return -1;
}

static long long now_milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

// Sends one message and waits for an answer of type `want`, or a refusal.
static bool ask(int socket, const struct interface* interface, int type, uint32_t transaction,
                const struct lease* asked, uint32_t current, int want, long long patience,
                struct lease* out) {
  uint8_t message[kDhcpMessageSize], answer[1500];
  make_dhcp_message(message, type, transaction, interface->hardware, asked, current);
  const struct sockaddr_in all = {.sin_family = AF_INET,
                                  .sin_port = htons(kServerPort),
                                  .sin_addr = {INADDR_BROADCAST}};
  if (sendto(socket, message, sizeof message, 0, (const struct sockaddr*)&all, sizeof all) < 0)
    return false;
  const long long until = now_milliseconds() + patience;
  for (long long left = patience; left > 0; left = until - now_milliseconds()) {
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    if (poll(&wait, 1, (int)left) <= 0) break;
    const ssize_t size = recv(socket, answer, sizeof answer, 0);
    int got = 0;
    if (size > 0 &&
        read_dhcp_message(answer, (size_t)size, transaction, interface->hardware, &got, out)) {
      if (got == want && out->address != 0) return true;
      if (got == kDhcpNak) return false;
    }
  }
  return false;
}

static uint32_t new_transaction(void) {
  uint32_t out = 0;
  // Not a secret; before the kernel has entropy, the time will do.
  if (getrandom(&out, sizeof out, GRND_NONBLOCK) != sizeof out) out = (uint32_t)now_milliseconds();
  return out;
}

static bool get_lease(int socket, const struct interface* interface, struct lease* out) {
  for (int i = 0; i < kTries; ++i) {
    const uint32_t transaction = new_transaction();
    const long long patience = 500LL << i;
    struct lease offer;
    if (!ask(socket, interface, kDhcpDiscover, transaction, NULL, 0, kDhcpOffer, patience, &offer)) {
      // A link that is just coming up loses the first message.
      continue;
    }
    if (ask(socket, interface, kDhcpRequest, transaction, &offer, 0, kDhcpAck, 4000, out))
      return true;
  }
  return false;
}

// A lease that is not renewed is somebody else's address after a while. Asks until there is an
// answer, as long as the guest lives: an address that works is not given up.
_Noreturn static void keep_lease(int control, int socket, const struct interface* interface,
                                 struct lease lease, int resolv_conf) {
  prctl(PR_SET_NAME, "dhcp", 0, 0, 0);
  signal(SIGTERM, SIG_DFL);
  for (;;) {
    uint32_t wait = lease.renew_after != 0 ? lease.renew_after : lease.seconds / 2;
    if (wait < 30) wait = 30;
    if (wait > 24 * 3600) wait = 24 * 3600;
    pause_milliseconds(wait * 1000L);
    struct lease renewed;
    if (!ask(socket, interface, kDhcpRequest, new_transaction(), &lease, lease.address, kDhcpAck,
             10000, &renewed) &&
        !get_lease(socket, interface, &renewed)) {
      lease.renew_after = 60;
      continue;
    }
    if (!apply(control, interface, &renewed)) report("network: %s", strerror(errno));
    write_name_servers(resolv_conf, &renewed);
    lease = renewed;
  }
}

static void run_dhcp(int control, const struct interface* interface, int resolv_conf) {
  struct lease lease;
  const int socket = client_socket(interface);
  if (socket < 0 || !get_lease(socket, interface, &lease)) {
    report("network: %s: no answer by DHCP", interface->name);
    return;
  }
  if (!apply(control, interface, &lease)) {
    report("network: %s: %s", interface->name, strerror(errno));
    return;
  }
  write_name_servers(resolv_conf, &lease);
  char address[INET_ADDRSTRLEN];
  report("network: %s has %s", interface->name, address_text(lease.address, address));
  if (lease.seconds == UINT32_MAX) return;  // for ever
  const pid_t keeper = fork();
  if (keeper == 0) keep_lease(control, socket, interface, lease, resolv_conf);
  close(socket);
}

// --- By the command line --------------------------------------------------------------------------

// ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1. Refuses what is malformed: it was
// written by who built the guest.
static struct lease parse_static(char* text) {
  struct lease out = {0};
  uint32_t* const places[] = {&out.address, NULL, &out.gateway, &out.netmask, NULL,
                              NULL,         NULL, NULL,         NULL};
  size_t field = 0;
  for (char* at = text; at != NULL && field < sizeof places / sizeof places[0]; ++field) {
    char* colon = strchr(at, ':');
    if (colon != NULL) *colon++ = '\0';
    uint32_t* place = field >= 7 ? &out.name_servers[out.name_server_count] : places[field];
    if (place != NULL && *at != '\0') {
      if (inet_pton(AF_INET, at, place) != 1) refuse("ip= on the command line: '%s'", at);
      if (field >= 7) ++out.name_server_count;
    }
    at = colon;
  }
  if (out.address == 0) refuse("ip= on the command line names no address");
  return out;
}

void configure_network(const struct guest* guest, int resolv_conf) {
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0 || !bring_up(control, "lo")) report("network: no loopback: %s", strerror(errno));
  char text[256] = "dhcp";
  const bool given = kernel_option("ip", text, sizeof text);
  if (!given && !guest->network) return;
  if (strcmp(text, "none") == 0 || strcmp(text, "off") == 0) return;
  struct interface interface = {0};
  if (!wait_for_ethernet(control, &interface)) {
    report("network: there is no Ethernet interface");
    return;
  }
  if (!bring_up(control, interface.name)) {
    report("network: %s: %s", interface.name, strerror(errno));
    return;
  }
  if (strcmp(text, "dhcp") == 0 || strcmp(text, "on") == 0 || strcmp(text, "any") == 0) {
    run_dhcp(control, &interface, resolv_conf);
    return;
  }
  const struct lease lease = parse_static(text);
  if (!apply(control, &interface, &lease)) report("network: %s: %s", interface.name, strerror(errno));
  write_name_servers(resolv_conf, &lease);
}
