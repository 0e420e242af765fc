#include "manifest-gen/guest/init/etc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest-gen/guest/init/paths.h"
#include "manifest-gen/guest/init/report.h"

#define GUEST_ETC "/cloister/etc"

static int mount_file(const char* name, const char* text) {
  char source[64], target[64];
  snprintf(source, sizeof source, GUEST_ETC "/%s", name);
  snprintf(target, sizeof target, GUEST_ROOT "/etc/%s", name);
  struct stat status;
  if (lstat(target, &status) < 0 || !S_ISREG(status.st_mode)) return -1;
  const int fd = open(source, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) < 0 ||
      mount(source, target, NULL, MS_BIND, NULL) < 0)
    refuse_errno("preparing /etc/", name);
  return fd;
}

int mount_etc_files(const struct guest* guest) {
  if (sethostname(guest->hostname, strlen(guest->hostname)) < 0)
    report("hostname %s: %s", guest->hostname, strerror(errno));
  if (mkdir(GUEST_ETC, 0755) < 0 || mount("tmpfs", GUEST_ETC, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
    refuse_errno("mounting", GUEST_ETC);
  char hosts[512];
  snprintf(hosts, sizeof hosts,
           "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 %s\n",
           guest->hostname);
  const int hosts_file = mount_file("hosts", hosts);
  char name[256];
  snprintf(name, sizeof name, "%s\n", guest->hostname);
  const int name_file = mount_file("hostname", name);
  if (hosts_file >= 0) close(hosts_file);
  if (name_file >= 0) close(name_file);
  return mount_file("resolv.conf", "");
}
