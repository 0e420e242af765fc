// The kernel's drivers/acpi/event.c: family "acpi_event" with one group, each event one attribute with
// a `struct acpi_genl_event`, whose first 20 bytes are the class of the device.
#include "manifest-gen/guest/init/power_button.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY "acpi_event"
#define POWER_BUTTON "button/power"

enum {
  kHeadersSize = NLMSG_HDRLEN + GENL_HDRLEN,
  kEventAttribute = 1,
  kDeviceClassSize = 20,
  kRoom = 4096
};

struct attributes {
  const char *at, *end;
};

// The next one; false at the end, and where its size is not possible.
static bool next_attribute(struct attributes* in, int* type, struct attributes* content) {
  struct nlattr head;
  if ((size_t)(in->end - in->at) < NLA_HDRLEN) return false;
  memcpy(&head, in->at, sizeof head);
  if (head.nla_len < NLA_HDRLEN || head.nla_len > in->end - in->at) return false;
  *type = head.nla_type & NLA_TYPE_MASK;
  *content = (struct attributes){in->at + NLA_HDRLEN, in->at + head.nla_len};
  const size_t whole = NLA_ALIGN((size_t)head.nla_len);
  in->at += whole < (size_t)(in->end - in->at) ? whole : (size_t)(in->end - in->at);
  return true;
}

// What stands in the first message, behind both headers; false when it is an error, or none.
static bool message_attributes(const char* bytes, ssize_t size, struct attributes* out) {
  struct nlmsghdr head;
  if (size < kHeadersSize) return false;
  memcpy(&head, bytes, sizeof head);
  if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_len < kHeadersSize || head.nlmsg_len > size)
    return false;
  *out = (struct attributes){bytes + kHeadersSize, bytes + head.nlmsg_len};
  return true;
}

// The number of the family's group, in the answer to CTRL_CMD_GETFAMILY; 0: none.
static uint32_t group_of(struct attributes family) {
  uint32_t out = 0;
  struct attributes groups, group, value;
  for (int type; next_attribute(&family, &type, &groups);) {
    if (type != CTRL_ATTR_MCAST_GROUPS) continue;
    for (int index; next_attribute(&groups, &index, &group);)
      for (int field; next_attribute(&group, &field, &value);)
        if (field == CTRL_ATTR_MCAST_GRP_ID && value.end - value.at == sizeof out)
          memcpy(&out, value.at, sizeof out);
  }
  return out;
}

static bool ask_for_family(int socket) {
  struct {
    struct nlmsghdr head;
    struct genlmsghdr command;
    struct nlattr attribute;
    char name[NLA_ALIGN(sizeof FAMILY)];
  } request = {.head = {.nlmsg_len = sizeof request,
                        .nlmsg_type = GENL_ID_CTRL,
                        .nlmsg_flags = NLM_F_REQUEST},
               .command = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
               .attribute = {.nla_len = NLA_HDRLEN + sizeof FAMILY,
                             .nla_type = CTRL_ATTR_FAMILY_NAME},
               .name = FAMILY};
  return send(socket, &request, sizeof request, 0) == sizeof request;
}

int open_power_button(void) {
  const int out = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
  if (out < 0) return -1;
  char answer[kRoom];
  struct attributes family;
  uint32_t group = 0;
  // The kernel has answered by the time that send(2) is done.
  if (ask_for_family(out) && message_attributes(answer, recv(out, answer, sizeof answer, 0), &family))
    group = group_of(family);
  if (group != 0 && setsockopt(out, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0)
    return out;
  const int error = group == 0 ? ENOENT : errno;
  close(out);
  errno = error;
  return -1;
}

bool power_button_pressed(int button) {
  char event[kRoom];
  bool pressed = false;
  for (ssize_t size; (size = recv(button, event, sizeof event, 0)) > 0;) {
    struct attributes all, content;
    if (!message_attributes(event, size, &all)) continue;
    for (int type; next_attribute(&all, &type, &content);)
      if (type == kEventAttribute && content.end - content.at >= kDeviceClassSize &&
          strncmp(content.at, POWER_BUTTON, kDeviceClassSize) == 0)
        pressed = true;
  }
  return pressed;
}
