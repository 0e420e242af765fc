// The structures are those of Linux include/uapi/linux/dm-ioctl.h, which a C library of its own
// such as musl's does not bring. Three calls make a device: create it, load its table, resume it.
#define _DEFAULT_SOURCE  // mknod and the like, beside C11
#include "manifest-gen/guest/init/dm_verity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct dm_header {
  uint32_t version[3];
  uint32_t data_size;   // of header and table
  uint32_t data_start;  // of the table
  uint32_t target_count;
  int32_t open_count;
  uint32_t flags;
  uint32_t event_nr;
  uint32_t padding;
  uint64_t dev;  // the kernel's answer: the new device's number
  char name[128];
  char uuid[129];
  char data[7];
};

struct dm_target {
  uint64_t sector_start, length;  // of 512 bytes
  int32_t status;
  uint32_t next;
  char type[16];
};

enum {
  DM_PARAMETERS = 1024,  // the longest: 512 digits of salt, 64 of root, seven numbers, two options
  DM_READ_ONLY = 1,
  DM_CONTROL_MAJOR = 10,
  BLOCK_SECTORS = 4096 / 512,
};

struct dm_message {
  struct dm_header header;
  struct dm_target target;
  char parameters[DM_PARAMETERS];
};

_Static_assert(sizeof(struct dm_header) == 312, "as in linux/dm-ioctl.h");
_Static_assert(sizeof(struct dm_target) == 40, "as in linux/dm-ioctl.h");
_Static_assert(offsetof(struct dm_message, parameters) == 352, "nothing between");

#define DM_COMMAND(number) _IOWR(0xfd, number, struct dm_header)
#define DM_DEV_CREATE DM_COMMAND(3)
#define DM_DEV_REMOVE DM_COMMAND(4)
#define DM_DEV_SUSPEND DM_COMMAND(6)  // without a flag: resume
#define DM_TABLE_LOAD DM_COMMAND(9)

static const char control_path[] = "/dev/mapper/control";

struct error_text {
  char* text;
  size_t size;
};

__attribute__((format(printf, 2, 3))) static int failed(struct error_text error, const char* format,
                                                        ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.text, error.size, format, arguments);
  va_end(arguments);
  return -1;
}

// What goes into the kernel's table is one word each: nothing may smuggle in another.
static int is_hex(const char* text, size_t min, size_t max) {
  const size_t size = strspn(text, "0123456789abcdef");
  return text[size] == '\0' && size >= min && size <= max && size % 2 == 0;
}

static int check(const struct dm_verity* verity, struct error_text error) {
  const size_t name = strlen(verity->name);
  if (name == 0 || name >= sizeof(((struct dm_header*)0)->name) ||
      strchr(verity->name, '/') != NULL)
    return failed(error, "'%.100s' cannot be the name of a device", verity->name);
  if (verity->data_blocks == 0 || verity->data_blocks > 1ULL << 48)
    return failed(error, "no disk has %llu blocks", verity->data_blocks);
  if (verity->hash_start < verity->data_blocks)
    return failed(error, "the hash tree at block %llu lies within the %llu blocks of data",
                  verity->hash_start, verity->data_blocks);
  if (!is_hex(verity->root_hash, 64, 64))
    return failed(error, "the root hash is not 64 lower-case hex digits");
  if (!is_hex(verity->salt, 0, 512))
    return failed(error, "the salt is not at most 512 lower-case hex digits");
  return 0;
}

// The minor number of device-mapper's control node, or -1.
static int control_minor(void) {
  int minor_number = -1;
  FILE* file = fopen("/sys/class/misc/device-mapper/dev", "re");
  if (file != NULL) {
    if (fscanf(file, "10:%d", &minor_number) != 1) minor_number = -1;
    fclose(file);
  }
  if (minor_number >= 0) return minor_number;
  file = fopen("/proc/misc", "re");
  if (file == NULL) return -1;
  char name[64];
  int number;
  while (fscanf(file, "%d %63s", &number, name) == 2)
    if (strcmp(name, "device-mapper") == 0) minor_number = number;
  fclose(file);
  return minor_number;
}

static int open_control(struct error_text error) {
  int control = open(control_path, O_RDWR | O_CLOEXEC);
  if (control >= 0 || errno != ENOENT) {
    if (control < 0) failed(error, "cannot open %s: %s", control_path, strerror(errno));
    return control;
  }
  const int minor_number = control_minor();
  if (minor_number < 0)
    return failed(error, "the kernel has no device-mapper: is the module dm-mod loaded?");
  mkdir("/dev/mapper", 0755);
  if (mknod(control_path, S_IFCHR | 0600, makedev(DM_CONTROL_MAJOR, (unsigned)minor_number)) < 0)
    return failed(error, "cannot make %s: %s", control_path, strerror(errno));
  control = open(control_path, O_RDWR | O_CLOEXEC);
  if (control < 0) failed(error, "cannot open %s: %s", control_path, strerror(errno));
  return control;
}

static int call(int control, unsigned long command, const struct dm_verity* verity,
                struct dm_message* message) {
  struct dm_header* header = &message->header;
  memset(header, 0, sizeof *header);
  header->version[0] = 4;
  header->data_size = sizeof *message;
  header->data_start = sizeof *header;
  header->flags = DM_READ_ONLY;
  header->target_count = command == DM_TABLE_LOAD ? 1 : 0;
  strcpy(header->name, verity->name);
  // 32 bits, whichever type a C library gives the parameter.
  return ioctl(control, (int)command, message);
}

// Linux Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters".
static int fill_table(const struct dm_verity* verity, dev_t device, const char* options,
                      struct dm_message* message, struct error_text error) {
  memset(message, 0, sizeof *message);
  message->target.length = verity->data_blocks * BLOCK_SECTORS;
  strcpy(message->target.type, "verity");
  const int size =
      snprintf(message->parameters, sizeof message->parameters,
               "1 %u:%u %u:%u 4096 4096 %llu %llu sha256 %s %s%s", major(device), minor(device),
               major(device), minor(device), verity->data_blocks, verity->hash_start,
               verity->root_hash, verity->salt[0] == '\0' ? "-" : verity->salt, options);
  if (size < 0 || (size_t)size >= sizeof message->parameters)
    return failed(error, "the table of the device is too long");
  return 0;
}

static int load_table(int control, const struct dm_verity* verity, dev_t device,
                      struct error_text error) {
  static const char* const panic[] = {" 2 panic_on_corruption panic_on_error",
                                      " 1 panic_on_corruption", NULL};
  static const char* const eio[] = {"", NULL};
  struct dm_message message;
  // An option that the kernel does not know is EINVAL.
  for (const char* const* options = verity->on_corruption == DM_VERITY_EIO ? eio : panic;
       *options != NULL; ++options) {
    if (fill_table(verity, device, *options, &message, error) < 0) return -1;
    if (call(control, DM_TABLE_LOAD, verity, &message) == 0) return 0;
    if (errno != EINVAL) break;
  }
  return failed(error, "the kernel refuses to check '%s': %s (its log says why)", verity->device,
                strerror(errno));
}

// devtmpfs has made the node by now; on any other /dev it is made here.
static int find_node(uint64_t dev, char* node, size_t node_size, struct error_text error) {
  // The kernel's encoding: 8 bits of the minor number, 12 of the major, the other bits of the
  // minor.
  const unsigned major_number = (dev >> 8) & 0xfff;
  const unsigned minor_number = (unsigned)((dev & 0xff) | ((dev >> 12) & 0xffffff00));
  const dev_t device = makedev(major_number, minor_number);
  const int size = snprintf(node, node_size, "/dev/dm-%u", minor_number);
  if (size < 0 || (size_t)size >= node_size) return failed(error, "no room for the device's name");
  if (mknod(node, S_IFBLK | 0400, device) < 0 && errno != EEXIST)
    return failed(error, "cannot make %s: %s", node, strerror(errno));
  struct stat facts;
  if (lstat(node, &facts) < 0 || !S_ISBLK(facts.st_mode) || facts.st_rdev != device)
    return failed(error, "%s is not the new device", node);
  return 0;
}

static int make_device(int control, const struct dm_verity* verity, dev_t device, char* node,
                       size_t node_size, struct error_text error) {
  struct dm_message message = {0};
  if (call(control, DM_DEV_CREATE, verity, &message) < 0)
    return failed(error, "cannot make the device '%s': %s", verity->name, strerror(errno));
  const uint64_t dev = message.header.dev;
  int result = load_table(control, verity, device, error);
  if (result == 0 && call(control, DM_DEV_SUSPEND, verity, &message) < 0)
    result = failed(error, "cannot start the device '%s': %s", verity->name, strerror(errno));
  if (result == 0) result = find_node(dev, node, node_size, error);
  if (result < 0) call(control, DM_DEV_REMOVE, verity, &message);
  return result;
}

int dm_verity_open(const struct dm_verity* verity, char* node, size_t node_size, char* text,
                   size_t text_size) {
  const struct error_text error = {text, text_size};
  if (check(verity, error) < 0) return -1;
  struct stat disk;
  if (stat(verity->device, &disk) < 0)
    return failed(error, "cannot find the disk '%s': %s", verity->device, strerror(errno));
  if (!S_ISBLK(disk.st_mode)) return failed(error, "'%s' is no block device", verity->device);
  const int control = open_control(error);
  if (control < 0) return -1;
  const int result = make_device(control, verity, disk.st_rdev, node, node_size, error);
  close(control);
  return result;
}
