// The first process of a guest: makes sure that what was measured is all there, prepares what the
// program needs, and runs it. Whatever is wrong is said on the console, and ends the guest: nothing
// runs that is not what was built.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manifest-gen/guest/init/check_root.h"
#include "manifest-gen/guest/init/disk.h"
#include "manifest-gen/guest/init/etc_files.h"
#include "manifest-gen/guest/init/guest.h"
#include "manifest-gen/guest/init/modules.h"
#include "manifest-gen/guest/init/mounts.h"
#include "manifest-gen/guest/init/network.h"
#include "manifest-gen/guest/init/paths.h"
#include "manifest-gen/guest/init/program.h"
#include "manifest-gen/guest/init/report.h"

// The clock is the host's; certificates should at least not be from the future.
static void check_time(const struct guest* guest) {
  const struct timespec earliest = {.tv_sec = guest->earliest};
  if (time(NULL) < earliest.tv_sec && clock_settime(CLOCK_REALTIME, &earliest) < 0)
    report("setting the clock: %s", strerror(errno));
}

// Keys must not be made before the kernel has something to make them of.
static void wait_for_entropy(void) {
  char byte;
  while (getrandom(&byte, 1, 0) < 0 && errno == EINTR) {
  }
}

int main(void) {
  mount_kernel_file_systems();
  if (getpid() != 1) refuse("this is the first process of a guest, and runs nowhere else");
  const struct guest guest = read_guest(GUEST_DOCUMENT);
  load_modules(&guest);
  mount_root(guest.disk.device != NULL ? open_disk(&guest.disk) : NULL);
  check_root(&guest);
  check_time(&guest);
  const int resolv_conf = mount_etc_files(&guest);
  configure_network(&guest, resolv_conf);
  enter_root(&guest);
  wait_for_entropy();
  run_program(&guest);
}
