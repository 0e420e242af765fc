#include "manifest-gen/guest/init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manifest-gen/guest/init/paths.h"
#include "manifest-gen/guest/init/report.h"

void load_modules(const struct guest* guest) {
  for (size_t i = 0; i < guest->module_count; ++i) {
    char path[sizeof GUEST_MODULES + NAME_MAX];
    if (snprintf(path, sizeof path, "%s%s", GUEST_MODULES, guest->modules[i]) >= (int)sizeof path)
      refuse("the name of a kernel module is too long");
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      refuse("the kernel module %s is missing; give the guest more memory", guest->modules[i]);
    // A driver may find that its device is not there; who needs the device says so.
    if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV)
      report("kernel module %s: %s", guest->modules[i], strerror(errno));
    close(fd);
  }
}
