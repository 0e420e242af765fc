// What a watched system call costs: by seccomp's user notification, as a rehearsal watches, and by
// ptrace. Prints microseconds a call; the first two lines are calls that are not watched.
//
//   cc -O2 -o watching watching.c && ./watching
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kCalls = 100000 };

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void measure(const char *what) {
  const double began = now();
  for (int i = 0; i < kCalls; ++i) syscall(SYS_getppid);
  printf("%-18s %6.2f\n", what, (now() - began) / kCalls * 1e6);
  fflush(stdout);
}

static int filter(uint32_t action, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {4, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void plain(const char *what, int filtered) {
  const pid_t child = fork();
  if (child == 0) {
    if (filtered) filter(SECCOMP_RET_ALLOW, 0);
    measure(what);
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void notified(void) {
  const pid_t child = fork();
  if (child == 0) {
    filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    measure("user notification");
    _exit(0);
  }
  int listener = -1;
  const int process = (int)syscall(SYS_pidfd_open, child, 0);
  for (int number = 3; listener < 0; number = number == 32 ? 3 : number + 1) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/%d/fd/%d", child, number);
    if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "seccomp") != NULL)
      listener = (int)syscall(SYS_pidfd_getfd, process, number, 0);
  }
  for (int i = 0; i < kCalls; ++i) {
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) continue;
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  close(listener);
  close(process);
  waitpid(child, NULL, 0);
}

static void traced(void) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    filter(SECCOMP_RET_TRACE, 0);
    measure("ptrace");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP);
  do {
    ptrace(PTRACE_CONT, child, 0, 0);
  } while (waitpid(child, &status, 0) == child && !WIFEXITED(status));
}

int main(void) {
  printf("microseconds a call\n");
  fflush(stdout);
  plain("bare", 0);
  plain("filtered", 1);
  notified();
  traced();
  return 0;
}
