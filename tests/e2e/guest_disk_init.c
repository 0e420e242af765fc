// The first program of guest_disk.sh's guest: loads modules, opens every disk by one root hash, and
// lists what the kernel reads of it. Each line begins with the disk; the last one says "end".
//
// From the kernel's command line: data_blocks=, hash_start=, root_hash=, salt=, on_corruption=,
// and plain_dev where there is to be no devtmpfs.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manifest-gen/guest/init/dm_verity.h"
#include "tests/e2e/guest_disk.h"

static char command_line[4096];

static const char* parameter(const char* name) {
  static char values[8][1024];
  static unsigned used;
  const size_t size = strlen(name);
  for (const char* at = command_line; (at = strstr(at, name)) != NULL; at += size)
    if ((at == command_line || at[-1] == ' ') && at[size] == '=') {
      char* value = values[used++ % 8];
      snprintf(value, sizeof values[0], "%.*s", (int)strcspn(at + size + 1, " \n"), at + size + 1);
      return value;
    }
  return "";
}

// /modules names the files in the order in which they go.
static void load_modules(void) {
  FILE* list = fopen("/modules", "re");
  char path[256];
  while (list != NULL && fscanf(list, "%255s", path) == 1) {
    const int compressed = strstr(path, ".ko.xz") != NULL ? 4 : 0;  // MODULE_INIT_COMPRESSED_FILE
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (syscall(SYS_finit_module, file, "", compressed) < 0)
      printf("module %s: %s\n", path, strerror(errno));
    close(file);
  }
}

// Waits for the device, and makes its node where no devtmpfs does.
static int find_disk(const char* name, char* path, size_t size) {
  char number_path[64];
  snprintf(number_path, sizeof number_path, "/sys/block/%s/dev", name);
  snprintf(path, size, "/dev/%s", name);
  unsigned major_number, minor_number;
  FILE* file = fopen(number_path, "re");
  if (file == NULL) return -1;
  const int fields = fscanf(file, "%u:%u", &major_number, &minor_number);
  fclose(file);
  if (fields == 2) mknod(path, S_IFBLK | 0600, makedev(major_number, minor_number));
  return 0;
}

static int digest_of(const char* path, const struct stat* facts, uint64_t* digest) {
  static char buffer[65536];
  ssize_t size = 0;
  *digest = LISTING_SEED;
  if (S_ISDIR(facts->st_mode)) return 0;
  if (S_ISLNK(facts->st_mode)) {
    size = readlink(path, buffer, sizeof buffer);
    if (size > 0) *digest = listing_digest(*digest, buffer, (size_t)size);
    return size < 0 ? -1 : 0;
  }
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  while ((size = read(file, buffer, sizeof buffer)) > 0)
    *digest = listing_digest(*digest, buffer, (size_t)size);
  const int number = errno;
  close(file);
  errno = number;
  return size < 0 ? -1 : 0;
}

static void list(const char* disk, const char* mount_point, const char* path) {
  char real[8192];
  snprintf(real, sizeof real, "%s%s", mount_point, path);
  struct stat facts;
  uint64_t digest;
  if (lstat(real, &facts) < 0 || digest_of(real, &facts, &digest) < 0) {
    printf("%s failed %s: %s\n", disk, path, strerror(errno));
    return;
  }
  printf("%s %s %o %u:%u %lld %016llx\n", disk, path, facts.st_mode, facts.st_uid, facts.st_gid,
         (long long)facts.st_mtime, (unsigned long long)digest);
  if (!S_ISDIR(facts.st_mode)) return;
  DIR* directory = opendir(real);
  if (directory == NULL) {
    printf("%s failed %s: %s\n", disk, path, strerror(errno));
    return;
  }
  struct dirent* entry;
  while ((errno = 0, entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char below[8192];
    snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name);
    list(disk, mount_point, below);
  }
  if (errno != 0) printf("%s failed %s: %s\n", disk, path, strerror(errno));
  closedir(directory);
}

static struct dm_verity arguments(const char* device, const char* name) {
  struct dm_verity verity = {0};
  verity.device = device;
  verity.name = name;
  verity.data_blocks = strtoull(parameter("data_blocks"), NULL, 10);
  verity.hash_start = strtoull(parameter("hash_start"), NULL, 10);
  verity.root_hash = parameter("root_hash");
  verity.salt = parameter("salt");
  if (strcmp(parameter("on_corruption"), "eio") == 0) verity.on_corruption = DM_VERITY_EIO;
  return verity;
}

static void try_disk(const char* disk) {
  char device[64], node[64], error[512], mount_point[64];
  if (find_disk(disk, device, sizeof device) < 0) return;
  const struct dm_verity verity = arguments(device, disk);
  if (dm_verity_open(&verity, node, sizeof node, error, sizeof error) < 0) {
    printf("%s refused: %s\n", disk, error);
    return;
  }
  printf("%s opened\n", disk);
  snprintf(mount_point, sizeof mount_point, "/mnt/%s", disk);
  mkdir(mount_point, 0755);
  if (mount(node, mount_point, "erofs", MS_RDONLY, NULL) < 0) {
    printf("%s not mounted: %s\n", disk, strerror(errno));
    return;
  }
  const int file = open(node, O_RDWR | O_CLOEXEC);  // Linux lets this pass
  if (file >= 0 && write(file, "", 1) >= 0) printf("%s is writable\n", disk);
  close(file);
  list(disk, mount_point, "/");
}

// What must be refused whatever is on the disk.
static void try_wrong(const char* what, struct dm_verity verity) {
  char node[64], error[512];
  if (dm_verity_open(&verity, node, sizeof node, error, sizeof error) == 0)
    printf("wrong %s: opened\n", what);
  else
    printf("wrong %s: refused: %s\n", what, error);
}

static void try_wrong_arguments(void) {
  char device[64];
  if (find_disk("vda", device, sizeof device) < 0) return;
  const struct dm_verity right = arguments(device, "wrong");
  struct dm_verity wrong = right;
  wrong.device = "/dev/none";
  try_wrong("device", wrong);
  wrong.device = "/dev/null";
  try_wrong("kind", wrong);
  wrong = right;
  wrong.name = "a/b";
  try_wrong("name", wrong);
  wrong.name = "vda";
  try_wrong("second", wrong);
  wrong = right;
  wrong.root_hash = "00";
  try_wrong("root", wrong);
  wrong = right;
  wrong.salt = "00 1 ignore_corruption";
  try_wrong("salt", wrong);
  wrong = right;
  wrong.data_blocks = 0;
  try_wrong("blocks", wrong);
  wrong.data_blocks = right.hash_start + 1;
  try_wrong("overlap", wrong);
  wrong.data_blocks = wrong.hash_start = 1ULL << 40;
  try_wrong("size", wrong);
  wrong = right;
  char node[2], error[512];
  if (dm_verity_open(&wrong, node, sizeof node, error, sizeof error) < 0)
    printf("wrong room: refused: %s\n", error);
  try_wrong("nothing", right);  // nor did any of them leave a device of that name
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/dev", 0755);
  mkdir("/mnt", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sys", "/sys", "sysfs", 0, NULL);
  FILE* file = fopen("/proc/cmdline", "re");
  if (file == NULL || fgets(command_line, sizeof command_line, file) == NULL) return 1;
  fclose(file);
  if (strstr(command_line, " plain_dev") == NULL) mount("dev", "/dev", "devtmpfs", 0, NULL);
  load_modules();
  for (int tries = 0; tries < 100 && access("/sys/block/vda", F_OK) < 0; ++tries) usleep(100000);
  for (char disk[] = "vda"; disk[2] <= 'z'; ++disk[2]) try_disk(disk);
  if (strstr(command_line, " wrong_arguments") != NULL) try_wrong_arguments();
  printf("end\n");
  fflush(stdout);
  reboot(RB_POWER_OFF);
  return 0;
}
