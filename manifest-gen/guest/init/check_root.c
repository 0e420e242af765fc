#include "manifest-gen/guest/init/check_root.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest-gen/guest/init/paths.h"
#include "manifest-gen/guest/init/report.h"

// The kernel gives a file of an initramfs its size before its content, and goes on when there is no
// room for that: what was not written is a hole, which reads as zeros. Whole pages are written, or
// not at all. (A disk has its own proof for every block, and may store less than it shows.)
static bool has_holes(const struct listed* want, const struct stat* got) {
  return (unsigned long long)got->st_blocks * 512 < want->size;
}

static const char* difference(const struct listed* want, const struct stat* got, const char* path,
                              bool in_memory) {
  static const mode_t kTypes[] = {[kListedDirectory] = S_IFDIR, [kListedFile] = S_IFREG,
                                  [kListedLink] = S_IFLNK};
  if ((got->st_mode & S_IFMT) != kTypes[want->type]) return "is something else than listed";
  if (want->type == kListedLink) {
    char target[PATH_MAX + 1];
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0 || (size_t)size != strlen(want->target) ||
        memcmp(target, want->target, (size_t)size) != 0)
      return "leads elsewhere than listed";
    return NULL;
  }
  if (want->type == kListedFile && (unsigned long long)got->st_size != want->size)
    return "has not the size listed";
  if (want->type == kListedFile && in_memory && has_holes(want, got)) return "has lost content";
  // A mode that came late is that of a directory or file that is not finished.
  if ((got->st_mode & 07777) != want->mode) return "has not the mode listed";
  if (got->st_uid != want->uid || got->st_gid != want->gid) return "has not the owner listed";
  return NULL;
}

void check_root(const struct guest* guest) {
  for (size_t i = 0; i < guest->list_count; ++i) {
    const struct listed* listed = &guest->list[i];
    char path[sizeof GUEST_ROOT + PATH_MAX];
    struct stat status;
    if (snprintf(path, sizeof path, "%s%s", GUEST_ROOT, listed->path) >= (int)sizeof path)
      refuse("a listed path is too long");
    const char* what = "is missing";
    if (lstat(path, &status) == 0)
      what = difference(listed, &status, path, guest->disk.device == NULL);
    else if (errno != ENOENT && errno != ENOTDIR)
      what = strerror(errno);
    if (what != NULL)
      refuse("the root is incomplete: %s %s; give the guest more memory", listed->path, what);
  }
}
