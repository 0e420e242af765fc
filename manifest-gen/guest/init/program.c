#include "manifest-gen/guest/init/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manifest-gen/guest/init/power_button.h"
#include "manifest-gen/guest/init/report.h"

// What a root program in a container has, but for CAP_MKNOD: it could read what it was not given,
// through a device.
static const int kKept[] = {CAP_CHOWN,       CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,
                            CAP_NET_RAW,     CAP_SETGID,       CAP_SETUID,  CAP_SETFCAP,
                            CAP_SETPCAP,     CAP_SYS_CHROOT,   CAP_KILL,    CAP_AUDIT_WRITE,
                            CAP_NET_BIND_SERVICE};

static uint64_t kept_capabilities(void) {
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof kKept / sizeof kKept[0]; ++i) out |= UINT64_C(1) << kKept[i];
  return out;
}

// For a user other than root exec(2) empties what is set here, but for the bounding set.
static int drop_capabilities(void) {
  const uint64_t kept = kept_capabilities();
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -1;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  for (int i = 0; i < 2; ++i) data[i].permitted = data[i].effective = (uint32_t)(kept >> (32 * i));
  return (int)syscall(SYS_capset, &header, data);
}

// As container runtimes: what servers want for many connections.
static void raise_limits(void) {
  const struct rlimit files = {1 << 20, 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) report("limit of open files: %s", strerror(errno));
}

_Noreturn static void become(const struct guest* guest) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  if (null > STDIN_FILENO) {
    dup2(null, STDIN_FILENO);
    close(null);
  }
  raise_limits();
  if (setgroups(guest->group_count, guest->groups) < 0 || drop_capabilities() < 0 ||
      setresgid(guest->gid, guest->gid, guest->gid) < 0 ||
      setresuid(guest->uid, guest->uid, guest->uid) < 0) {
    report("becoming the program's user: %s", strerror(errno));
    _exit(126);
  }
  umask(022);
  if (chdir(guest->workdir) < 0) {
    report("working directory %s: %s", guest->workdir, strerror(errno));
    _exit(126);
  }
  execve(guest->program, guest->argv, guest->env);
  report("starting %s: %s", guest->program, strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

// What asks the guest to end, beside the power button: `init`'s signals, and Ctrl-Alt-Del.
static bool asks_to_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGPWR;
}

_Noreturn static void end(int status) {
  // What is left gets a moment to write what it has.
  const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};
  if (kill(-1, SIGTERM) == 0) nanosleep(&moment, NULL);
  kill(-1, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0) {
  }
  if (WIFSIGNALED(status))
    report("the program was ended by signal %d", WTERMSIG(status));
  else
    report("the program ended with status %d", WEXITSTATUS(status));
  power_off();
}

// Children that nobody else waits for are waited for here; with the program the guest ends.
static void wait_for_children(pid_t program) {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == program) end(status);
}

void run_program(const struct guest* guest) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  reboot(RB_DISABLE_CAD);  // Ctrl-Alt-Del is a signal to this process, and not a reset
  const int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  const int button = open_power_button();
  if (signals < 0) refuse_errno("waiting for", "signals");
  if (button < 0) report("the power button: %s", strerror(errno));
  const pid_t program = fork();
  if (program < 0) refuse_errno("starting", guest->program);
  if (program == 0) become(guest);
  struct pollfd wait[] = {{.fd = signals, .events = POLLIN}, {.fd = button, .events = POLLIN}};
  for (;;) {
    poll(wait, 2, -1);  // of a descriptor below 0 nothing comes
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
      const int signal = (int)info.ssi_signo;
      if (signal == SIGCHLD)
        wait_for_children(program);
      else
        kill(program, asks_to_end(signal) ? guest->stop_signal : signal);
    }
    if (button >= 0 && power_button_pressed(button)) kill(program, guest->stop_signal);
  }
}
