#include "manifest-gen/guest/init/copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_content(int in, int out) {
  for (;;) {
    const ssize_t done = sendfile(out, in, NULL, 1 << 20);
    if (done <= 0) return (int)done;
  }
}

// Owner and mode of what was copied, when it was. Answers `result`, or -1, with its errno.
static int finish(int in, int out, const struct stat* status, int result) {
  // The owner first: a change of owner takes set-user-ID away.
  if (result == 0 && (fchown(out, status->st_uid, status->st_gid) < 0 ||
                      fchmod(out, status->st_mode & 07777) < 0))
    result = -1;
  const int error = errno;
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  errno = error;
  return result;
}

static int copy_file(int from, int to, const char* name, const struct stat* status) {
  const int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  const int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return finish(in, out, status, in < 0 || out < 0 ? -1 : copy_content(in, out));
}

static int copy_link(int from, int to, const char* name, const struct stat* status) {
  char target[PATH_MAX + 1];
  const ssize_t size = readlinkat(from, name, target, sizeof target - 1);
  if (size < 0) return -1;
  target[size] = '\0';
  if (symlinkat(target, to, name) < 0) return -1;
  return fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int copy_directory(int from, int to, const char* name, const struct stat* status) {
  if (mkdirat(to, name, 0700) < 0) return -1;
  const int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return finish(in, out, status, in < 0 || out < 0 ? -1 : copy_tree(in, out));
}

static int copy_entry(int from, int to, const char* name) {
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  if (S_ISREG(status.st_mode)) return copy_file(from, to, name, &status);
  if (S_ISLNK(status.st_mode)) return copy_link(from, to, name, &status);
  if (S_ISDIR(status.st_mode)) return copy_directory(from, to, name, &status);
  return 0;  // a root has nothing else
}

int copy_tree(int from, int to) {
  const int listed = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* directory = listed < 0 ? NULL : fdopendir(listed);
  if (directory == NULL) return -1;
  int result = 0;
  errno = 0;
  for (struct dirent* entry; result == 0 && (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    result = copy_entry(from, to, entry->d_name);
  }
  const int error = errno;
  closedir(directory);
  errno = error;
  return result;
}
