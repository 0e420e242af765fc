// What a guest of the tests runs: it says what it finds there, and then does what its first argument
// tells it. Static, so that the image needs nothing else.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kPort = 7000, kBlock = 4096 };

// Of a file: each line of one, behind a name.
static void say_lines(const char* name, const char* path, const char* wanted) {
  char line[512];
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    printf("%s %s\n", name, strerror(errno));
    return;
  }
  while (fgets(line, sizeof line, file) != NULL)
    if (wanted == NULL || strncmp(line, wanted, strlen(wanted)) == 0) printf("%s %s", name, line);
  fclose(file);
}

// --- What it may do -------------------------------------------------------------------------------

static void say_identity(char** argv) {
  gid_t groups[64];
  char text[512] = "";
  const int count = getgroups(64, groups);
  printf("user %u:%u groups", (unsigned)getuid(), (unsigned)getgid());
  for (int i = 0; i < count; ++i) printf(" %u", (unsigned)groups[i]);
  printf("\narguments");
  for (char** word = argv; *word != NULL; ++word) printf(" '%s'", *word);
  printf("\ndirectory %s\n", getcwd(text, sizeof text));
  gethostname(text, sizeof text);
  printf("host %s\n", text);
  printf("variable %s\n", getenv("TEST_VARIABLE") != NULL ? getenv("TEST_VARIABLE") : "is not set");
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  printf("files %llu\n", (unsigned long long)files.rlim_cur);
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  int signals = 0;
  for (int i = 1; i < 32; ++i) signals += sigismember(&blocked, i) == 1;
  printf("blocked signals %d\n", signals);
  say_lines("status", "/proc/self/status", "Cap");
  say_lines("resolv.conf", "/etc/resolv.conf", NULL);
  say_lines("hosts", "/etc/hosts", NULL);
}

static void say_opened(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  printf("%s %s: %s\n", (flags & O_CREAT) != 0 ? "create" : "open", path, fd < 0 ? strerror(errno) : "done");
  if (fd >= 0) close(fd);
}

static void say_places(void) {
  static const char* const kNew[] = {"/new", "/etc/new", "/srv/new", "/proc/new", "/sys/new",
                                     "/tmp/new", "/data/new", "/run/new", "/dev/shm/new"};
  static const char* const kDevices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom",
                                         "/dev/stdout", "/dev/stderr", "/dev/ptmx"};
  static const char* const kForbidden[] = {"/dev/mem", "/dev/port", "/proc/kcore", "/proc/sysrq-trigger",
                                           "/proc/sys/kernel/core_pattern", "/sys/kernel/uevent_helper"};
  for (size_t i = 0; i < sizeof kNew / sizeof *kNew; ++i) say_opened(kNew[i], O_WRONLY | O_CREAT);
  for (size_t i = 0; i < sizeof kDevices / sizeof *kDevices; ++i) say_opened(kDevices[i], O_RDWR);
  say_opened("/dev/stdin", O_RDONLY);
  for (size_t i = 0; i < sizeof kForbidden / sizeof *kForbidden; ++i) say_opened(kForbidden[i], O_WRONLY);
  const int made = mknod("/tmp/device", S_IFCHR | 0600, makedev(1, 1));
  printf("mknod: %s\n", made < 0 ? strerror(errno) : "done");
  const int changed = chmod("/app", 0777);
  printf("chmod /app: %s\n", changed < 0 ? strerror(errno) : "done");
}

// Out of the root, as it is done where the root is nothing but a directory.
static void say_escape(void) {
  const pid_t child = fork();
  if (child == 0) {
    mkdir("/tmp/deeper", 0700);
    if (chroot("/tmp/deeper") < 0) _exit(0);
    for (int i = 0; i < 100; ++i)
      if (chdir("..") < 0) break;
    if (chroot(".") < 0) _exit(0);
    _exit(access("/cloister/guest.conf", F_OK) == 0 || access("/init", F_OK) == 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("outside of the root: %s\n", status == 0 ? "nothing" : "what the guest began with");
}

// --- Children that nobody waits for -----------------------------------------------------------------

static int count_zombies(void) {
  DIR* processes = opendir("/proc");
  int out = 0;
  for (struct dirent* entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
    char path[300], line[512] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE* file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
    if (file == NULL) continue;
    if (fgets(line, sizeof line, file) != NULL) {
      const char* state = strrchr(line, ')');
      out += state != NULL && state[1] == ' ' && state[2] == 'Z';
    }
    fclose(file);
  }
  if (processes != NULL) closedir(processes);
  return out;
}

static void make_orphans(void) {
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) {
        usleep(20000);
        _exit(7);
      }
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  int zombies = -1;
  for (int tries = 0; tries < 100 && zombies != 0; ++tries) {
    usleep(50000);
    zombies = count_zombies();
  }
  printf("zombies %d\n", zombies);
}

// --- Work -----------------------------------------------------------------------------------------

static void asked_to_end(int signal) {
  char text[64];
  const int size = snprintf(text, sizeof text, "asked to end by signal %d\n", signal);
  _exit(write(STDOUT_FILENO, text, (size_t)size) == size ? 3 : 4);
}

static int serve(void) {
  const struct sigaction action = {.sa_handler = asked_to_end};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(kPort)};
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) < 0 || listen(listener, 8) < 0) return 5;
  puts("ready");
  for (;;) {
    char text[256];
    const int connection = accept(listener, NULL, NULL);
    const ssize_t got = read(connection, text, sizeof text);
    if (got > 0) dprintf(connection, "the guest got %.*s", (int)got, text);
    close(connection);
  }
}

// The file of make_pattern: each block holds its own number, all over.
static int check_pattern(const char* path) {
  uint64_t block[kBlock / 8], number = 0;
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    printf("%s: %s\n", path, strerror(errno));
    return 1;
  }
  for (; fread(block, sizeof block, 1, file) == 1; ++number)
    for (size_t i = 0; i < kBlock / 8; ++i)
      if (block[i] != number + 1) {
        printf("truncated: block %llu is not what was built\n", (unsigned long long)number);
        return 1;
      }
  printf("whole: %llu blocks\n", (unsigned long long)number);
  return 0;
}

// On the machine of the test.
static int make_pattern(const char* path, uint64_t blocks) {
  uint64_t block[kBlock / 8];
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 1;
  for (uint64_t number = 0; number < blocks; ++number) {
    for (size_t i = 0; i < kBlock / 8; ++i) block[i] = number + 1;
    if (fwrite(block, sizeof block, 1, file) != 1) return 1;
  }
  return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "pattern") == 0 && argc == 4) return make_pattern(argv[2], strtoull(argv[3], NULL, 10));
  if (strcmp(what, "check") == 0 && argc == 3) return check_pattern(argv[2]);
  if (strcmp(what, "crash") == 0) {
    puts("crashing");
    raise(SIGSEGV);
  }
  say_identity(argv);
  say_places();
  say_escape();
  make_orphans();
  return serve();
}
