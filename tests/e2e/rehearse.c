// Programs to be rehearsed, by the first argument. Names of files are spelled backwards, so that they
// are no strings that an analysis could find.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name(const char *backwards) {
  static char out[4][256];
  static int next;
  char *at = out[next++ % 4];
  size_t n = strlen(backwards);
  for (size_t i = 0; i < n; ++i) at[i] = backwards[n - 1 - i];
  at[n] = 0;
  return at;
}

static int fd_to_errno(int fd) {
  if (fd < 0) return errno;
  close(fd);
  return 0;
}
static int opens(const char *path, int flags) { return fd_to_errno(open(path, flags, 0644)); }
static int result(long value) { return value < 0 ? errno : 0; }
static void say(const char *what, int error) {
  printf("%s=%s\n", what, error == 0 ? "ok" : strerrorname_np(error));
}

// What Gramine lets a program do, and what it does not.
static int rules(void) {
  struct stat status;
  say("granted", opens("/etc/app/conf", O_RDONLY));
  say("alias", opens(name("fnoc/saila/cte/"), O_RDONLY));
  say("unlisted", opens(name("neddih/vrs/"), O_RDONLY));
  say("stat-unlisted", result(stat(name("neddih/vrs/"), &status)));
  say("access-unlisted", result(access(name("neddih/vrs/"), R_OK)));
  say("list", opens("/srv", O_RDONLY | O_DIRECTORY));
  say("absent", opens("/srv/absent", O_RDONLY));
  say("write-granted", opens("/etc/app/conf", O_WRONLY));
  say("create-unlisted", opens("/srv/new", O_WRONLY | O_CREAT));
  say("mkdir", result(mkdir("/srv/made", 0755)));
  say("tmpfs", opens("/tmp/new", O_RDWR | O_CREAT));
  say("rename-tmpfs", result(rename("/tmp/new", "/tmp/renamed")));
  say("unlink-tmpfs", result(unlink("/tmp/renamed")));
  say("unlink-unlisted", result(unlink(name("neddih/vrs/"))));
  say("chmod-granted", result(chmod("/etc/app/conf", 0600)) == EACCES ? EACCES : 0);
  say("chown-tmpfs", result(chown("/tmp", 12, 34)));
  say("chdir", result(chdir("/etc/app")));
  say("relative", opens("./conf", O_RDONLY));
  say("dotdot", opens("../app/../app/conf", O_RDONLY));
  int directory = open("/etc", O_RDONLY | O_DIRECTORY);
  say("at", fd_to_errno(openat(directory, "app/conf", O_RDONLY)));
  say("at-unlisted", fd_to_errno(openat(directory, "../srv/hidden", O_RDONLY)));
  struct open_how how = {.flags = O_RDONLY};
  say("openat2", result(syscall(SYS_openat2, directory, "app/conf", &how, sizeof how)));
  say("exec-unlisted", result(execl(name("loot/tpo/"), "tool", NULL)));
  say("meminfo", opens("/proc/meminfo", O_RDONLY));
  say("self-exe", result(readlink("/proc/self/exe", (char[64]){0}, 64)));
  say("mounts", opens("/proc/mounts", O_RDONLY));
  say("null", opens("/dev/null", O_RDWR));
  say("kmsg", opens("/dev/kmsg", O_RDONLY));
  say("cpu-online", opens("/sys/devices/system/cpu/online", O_RDONLY));
  say("sys-kernel", opens("/sys/kernel", O_RDONLY));
  say("setuid", result(setuid(33)));
  say("is-33", getuid() == 33 && geteuid() == 33 ? 0 : EINVAL);
  say("symlink", result(symlink("/a", "/tmp/link")));
  say("timerfd", result(syscall(SYS_timerfd_create, 1, 0)));
  int child = fork();
  if (child == 0) {
    say("child-unlisted", opens(name("neddih/vrs/"), O_RDONLY));
    execl("/opt/app", "app", "exit", "0", NULL);
    _exit(9);
  }
  waitpid(child, NULL, 0);
  return 0;
}

// What must not get out, or hurt: each says what came of it.
static int hostile(const char *marker) {
  say("host-file", opens(marker, O_RDONLY));
  say("host-link", opens("/srv/to-host", O_RDONLY));
  say("host-create", opens("/tmp/../../../../tmp/cloister-was-here", O_WRONLY | O_CREAT) == 0 &&
                             access(marker, F_OK) == 0
                         ? 0
                         : ENOENT);
  say("setuid-program", geteuid() == 0 ? EPERM : result(setresuid(0, 0, 0)));
  say("mknod", result(mknod("/tmp/disk", S_IFBLK | 0600, (8 << 8))));
  say("mount", result(mount("none", "/srv", "tmpfs", 0, NULL)));
  say("unshare", result(unshare(CLONE_NEWUSER)));
  say("chroot", result(chroot("/tmp")));
  say("ptrace", result(ptrace(PTRACE_TRACEME, 0, 0, 0)));
  say("kill-parent", getppid() == 0 ? ESRCH : result(kill(getppid(), SIGKILL)));
  say("kill-others", result(kill(-1, SIGKILL)));
  int alive = 0;
  for (int i = 0; i < 100000 && alive >= 0; ++i) {
    int child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    if (child < 0) break;
    ++alive;
  }
  say("fork-bomb", errno);
  printf("forks=%s\n", alive < 1000 ? "bounded" : "many");
  return 0;
}

// Ten times 60 MB, each little enough for a process.
static int many_times_memory(void) {
  for (int i = 0; i < 10; ++i)
    if (fork() == 0) {
      char *memory = malloc(60 << 20);
      memset(memory, 1, 60 << 20);
      __asm__ volatile("" ::"r"(memory) : "memory");
      sleep(20);
      _exit(0);
    }
  sleep(20);
  return 0;
}

static void *thread(void *barrier) {
  pthread_barrier_wait(barrier);
  return NULL;
}

// 300 MB and 20 threads beside the first.
static int large(void) {
  const size_t size = 300 << 20;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 1, size);
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, 21);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  pthread_t threads[20];
  for (int i = 0; i < 20; ++i) pthread_create(&threads[i], &small, thread, &barrier);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 20; ++i) pthread_join(threads[i], NULL);
  return 0;
}

// Answers HTTP on port 8080, reading a file for each request.
static int server(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(8080)};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 16)) return 1;
  signal(SIGTERM, SIG_DFL);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    char text[4096];
    if (read(client, text, sizeof text) > 0) {
      int page = open(name("egap/cte/"), O_RDONLY);
      int ok = page >= 0 && read(page, text, 4) == 4;
      if (page >= 0) close(page);
      dprintf(client, "HTTP/1.1 %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
              ok ? "200 OK" : "500 No");
    }
    close(client);
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "rules";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(what, "rules")) return rules();
  if (!strcmp(what, "hostile")) return hostile(argv[2]);
  if (!strcmp(what, "memory")) return many_times_memory();
  if (!strcmp(what, "large")) return large();
  if (!strcmp(what, "server")) return server();
  if (!strcmp(what, "exit")) return atoi(argv[2]);
  if (!strcmp(what, "crash")) abort();
  if (!strcmp(what, "sleep")) return (int)sleep(1000);
  if (!strcmp(what, "read")) {
    int failed = 0;
    for (int i = 2; i < argc; ++i) failed |= opens(argv[i], O_RDONLY);
    return failed != 0;
  }
  return 2;
}
