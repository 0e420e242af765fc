#include "manifest-gen/guest/init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest-gen/guest/init/copy_tree.h"
#include "manifest-gen/guest/init/paths.h"
#include "manifest-gen/guest/init/report.h"

static void must_mount(const char* source, const char* target, const char* type,
                       unsigned long flags, const char* data) {
  if (mount(source, target, type, flags, data) < 0) refuse_errno("mounting", target);
}

// What a kernel may lack, and most programs do without.
static bool try_mount(const char* source, const char* target, const char* type,
                      unsigned long flags, const char* data) {
  return mount(source, target, type, flags, data) == 0;
}

static const unsigned long kNothing = MS_NOSUID | MS_NODEV | MS_NOEXEC;

void mount_kernel_file_systems(void) {
  must_mount("proc", "/proc", "proc", kNothing, "");
  must_mount("sysfs", "/sys", "sysfs", kNothing, "");
  must_mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  // The kernel's own descriptors are of the node in the initramfs, whose owner cannot be told to
  // the program's user.
  const int console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (console < 0) return;  // a machine without one
  dup2(console, STDOUT_FILENO);
  dup2(console, STDERR_FILENO);
  if (console > STDERR_FILENO) close(console);
}

void mount_root(const char* device) {
  if (device != NULL)
    must_mount(device, GUEST_ROOT, "erofs", MS_RDONLY | MS_NODEV, "");
  else
    must_mount(GUEST_ROOT, GUEST_ROOT, NULL, MS_BIND, NULL);
}

// Reports of the processor are made in configfs, which the program's user may do; the kernel that
// has no such interface has /dev/sev-guest alone.
static void open_attestation(const struct guest* guest) {
  if (try_mount("configfs", GUEST_ROOT "/sys/kernel/config", "configfs", kNothing, "") &&
      chown(GUEST_ROOT "/sys/kernel/config/tsm/report", guest->uid, guest->gid) < 0 &&
      errno != ENOENT)
    report("/sys/kernel/config/tsm/report: %s", strerror(errno));
  if (chown("/dev/sev-guest", guest->uid, guest->gid) < 0 && errno != ENOENT)
    report("/dev/sev-guest: %s", strerror(errno));
}

// What container runtimes let nobody write to: a program's root could have the kernel run something
// as its own with it (core_pattern), or end the machine.
static void protect_kernel_settings(void) {
  static const char* const kReadOnly[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
  for (size_t i = 0; i < sizeof kReadOnly / sizeof kReadOnly[0]; ++i) {
    char path[sizeof GUEST_ROOT + 32];
    snprintf(path, sizeof path, GUEST_ROOT "/proc/%s", kReadOnly[i]);
    if (mount(path, path, NULL, MS_BIND, NULL) < 0) {
      if (errno == ENOENT) continue;  // this kernel has none
      refuse_errno("protecting", path);
    }
    must_mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kNothing, NULL);
  }
}

static void mount_inside(const struct guest* guest) {
  must_mount("/dev", GUEST_ROOT "/dev", NULL, MS_BIND, NULL);
  must_mount("proc", GUEST_ROOT "/proc", "proc", kNothing, "");
  protect_kernel_settings();
  must_mount("sysfs", GUEST_ROOT "/sys", "sysfs", kNothing | MS_RDONLY, "");
  try_mount("cgroup2", GUEST_ROOT "/sys/fs/cgroup", "cgroup2", kNothing | MS_RDONLY, "");
  open_attestation(guest);
  // What container runtimes have in /dev.
  mkdir("/dev/pts", 0755);
  mkdir("/dev/shm", 01777);
  mkdir("/dev/mqueue", 01777);
  try_mount("devpts", GUEST_ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620,gid=5");
  must_mount("tmpfs", GUEST_ROOT "/dev/shm", "tmpfs", kNothing, "mode=1777");
  try_mount("mqueue", GUEST_ROOT "/dev/mqueue", "mqueue", kNothing, "");
  static const char* const kLinks[][2] = {{"/proc/self/fd", "/dev/fd"},
                                          {"/proc/self/fd/0", "/dev/stdin"},
                                          {"/proc/self/fd/1", "/dev/stdout"},
                                          {"/proc/self/fd/2", "/dev/stderr"}};
  for (size_t i = 0; i < sizeof kLinks / sizeof kLinks[0]; ++i)
    if (symlink(kLinks[i][0], kLinks[i][1]) < 0 && errno != EEXIST)
      report("%s: %s", kLinks[i][1], strerror(errno));
  // A log that is a link to /dev/stdout is opened by the program's user.
  if (chown("/dev/console", guest->uid, guest->gid) < 0 && errno != ENOENT)
    report("/dev/console: %s", strerror(errno));
}

// A file system in memory that begins with what the image has there, as a new volume does.
static void mount_writable(const struct place* place) {
  char path[sizeof GUEST_ROOT + PATH_MAX], options[32];
  if (snprintf(path, sizeof path, "%s%s", GUEST_ROOT, place->path) >= (int)sizeof path)
    refuse("a writable path is too long");
  const int before = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  snprintf(options, sizeof options, "mode=%o", (unsigned)place->mode);
  must_mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
  const int after = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (before < 0 || after < 0 || copy_tree(before, after) < 0)
    refuse_errno("filling the writable place", place->path);
  close(before);
  close(after);
  if (chown(path, place->uid, place->gid) < 0 || chmod(path, place->mode) < 0)
    refuse_errno("preparing", place->path);
}

void enter_root(const struct guest* guest) {
  mount_inside(guest);
  for (size_t i = 0; i < guest->writable_count; ++i) mount_writable(&guest->writable[i]);
  if (mount(NULL, GUEST_ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) < 0)
    refuse_errno("making the root read-only", GUEST_ROOT);
  // An initramfs cannot be pivoted away from; it is covered.
  if (chdir(GUEST_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
      chdir("/") < 0)
    refuse_errno("entering", GUEST_ROOT);
}
