// Manuals: user_namespaces(7), pid_namespaces(7), pivot_root(2), capabilities(7), seccomp(2).
#include "manifest-gen/rehearse/sandbox/sandbox_child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace cloister::manifest {
namespace {

constexpr mode_t kDirectoryMode = 0755;

// Devices that Gramine makes too; each is this machine's own.
constexpr const char* kDevices[] = {"null", "zero", "random", "urandom", "tty"};
struct DeviceLink {
  const char *target, *name;
};
constexpr DeviceLink kDeviceLinks[] = {{"/proc/self/fd", "dev/fd"},
                                       {"/proc/self/fd/0", "dev/stdin"},
                                       {"/proc/self/fd/1", "dev/stdout"},
                                       {"/proc/self/fd/2", "dev/stderr"}};
// What of /sys Gramine shows.
constexpr const char* kSysDirectories[] = {"sys/devices", "sys/devices/system",
                                           "sys/devices/system/cpu", "sys/devices/system/node"};

// `format` up to "%s", then `value`: for paths, in memory of the caller's.
struct Path {
  char text[4096];
  Path(const char* first, const char* second) {
    const std::size_t a = std::strlen(first), b = std::strlen(second);
    if (a + b + 1 > sizeof(text)) {
      text[0] = '\0';
      return;
    }
    std::memcpy(text, first, a);
    std::memcpy(text + a, second, b + 1);
  }
};

class Keeper {
 public:
  explicit Keeper(const SandboxChildPlan& plan) : plan_(plan) {}
  [[noreturn]] void run();

 private:
  void tell(SandboxWord word, int value, const char* what, int descriptor = -1) const;
  SandboxMessage hear() const;
  void expect_go() const;
  [[noreturn]] void fail(const char* what) const {
    tell(SandboxWord::failed, errno, what);
    _exit(1);
  }
  void must(long result, const char* what) const {
    if (result < 0) fail(what);
  }

  void die_with_parent() const;
  void enter_namespaces();
  void mount_root();
  void mount_devices() const;
  void mount_sys() const;
  void mount_places() const;
  void raise_loopback() const;
  void leave_host() const;
  void answer_until_end(pid_t first) const;
  void answer_connect(int port) const;

  const SandboxChildPlan& plan_;
};

void Keeper::tell(SandboxWord word, int value, const char* what, int descriptor) const {
  SandboxMessage message;
  message.word = word;
  message.value = value;
  std::strncpy(message.what, what, sizeof(message.what) - 1);
  iovec part{&message, sizeof(message)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
  }
  while (sendmsg(plan_.socket, &header, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

SandboxMessage Keeper::hear() const {
  SandboxMessage message;
  ssize_t got = 0;
  do {
    got = recv(plan_.socket, &message, sizeof(message), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof(message))) _exit(1);  // whom it keeps it for has gone
  return message;
}

void Keeper::expect_go() const {
  if (hear().word != SandboxWord::go) _exit(1);
}

// The signal is forgotten when a process changes its user.
void Keeper::die_with_parent() const {
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
  if (getppid() != plan_.parent) _exit(1);
}

void Keeper::enter_namespaces() {
  if (plan_.own_users) {
    must(unshare(CLONE_NEWUSER), "a user namespace");
    tell(SandboxWord::map_ids, 0, "");
    expect_go();
    must(syscall(SYS_setresgid, plan_.gid, plan_.gid, plan_.gid), "its group");
    must(syscall(SYS_setresuid, plan_.uid, plan_.uid, plan_.uid), "its user");
    // Who changes its user may not be looked at by others; whom it keeps it for has to.
    must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
    die_with_parent();
  }
  must(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWPID |
               (plan_.own_network ? CLONE_NEWNET : 0)),
       "namespaces for mounts, processes and network");
  must(sethostname("localhost", 9), "a host name");
}

void Keeper::mount_root() {
  must(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts");
  must(mount("tmpfs", plan_.mount_point, "tmpfs", MS_NOSUID | MS_NODEV, plan_.root_options),
       "a root in memory");
  must(chdir(plan_.mount_point), "the root");
  tell(SandboxWord::fill_root, 0, "");
  expect_go();
}

void Keeper::mount_devices() const {
  must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k"), "/dev");
  for (const char* name : kDevices) {
    const Path here("dev/", name), host("/dev/", name);
    const int made = open(here.text, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    must(made, "a device");
    close(made);
    // A container may lack one; the program is told so when it opens it.
    (void)mount(host.text, here.text, nullptr, MS_BIND, nullptr);
  }
  for (const DeviceLink& link : kDeviceLinks)
    must(symlink(link.target, link.name), "a device link");
}

void Keeper::mount_sys() const {
  must(mount("tmpfs", "sys", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=0755,size=64k"),
       "/sys");
  for (const char* directory : kSysDirectories) must(mkdir(directory, kDirectoryMode), "/sys");
  for (const char* directory : {kSysDirectories[2], kSysDirectories[3]}) {
    const Path host("/", directory);
    if (mount(host.text, directory, nullptr, MS_BIND | MS_REC, nullptr) == 0)
      (void)mount("none", directory, nullptr,
                  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr);
  }
}

void Keeper::mount_places() const {
  for (const char* const* path = plan_.memory_mounts; *path != nullptr; ++path) {
    (void)mkdir(*path, kDirectoryMode);  // below /dev nobody could before
    must(mount("tmpfs", *path, "tmpfs", MS_NOSUID | MS_NODEV, plan_.memory_options),
         "a place in memory");
  }
  for (const char* const* pair = plan_.binds; *pair != nullptr; pair += 2)
    must(mount(pair[0], pair[1], nullptr, MS_BIND, nullptr), "a mount of the manifest");
}

void Keeper::raise_loopback() const {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(any, "a socket");
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(any, SIOCSIFFLAGS, &request), "the loopback interface");
  close(any);
}

void Keeper::leave_host() const {
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    must(umount2(".", MNT_DETACH), "leaving this machine's files");
  } else {
    // A root of an initramfs cannot be moved away; it can be covered.
    must(mount(".", "/", nullptr, MS_MOVE, nullptr), "the root in its place");
    must(chroot("."), "the root");
  }
  must(chdir("/"), "the root");
}

void Keeper::answer_connect(int port) const {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return tell(SandboxWord::refused, errno, "");
  // A program that lets its queue run full must not keep whoever asks.
  const timeval patience{2, 0};
  (void)setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0)
    tell(SandboxWord::refused, errno, "");
  else
    tell(SandboxWord::connected, 0, "", made);
  close(made);
}

void Keeper::answer_until_end(pid_t first) const {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, first, 0));
  must(process, "watching the program");
  for (;;) {
    pollfd waiting[2] = {{process, POLLIN, 0}, {plan_.socket, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0) continue;
    if (waiting[0].revents != 0) {
      while (waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
      }
      _exit(0);
    }
    if (waiting[1].revents != 0) {
      const SandboxMessage message = hear();
      if (message.word == SandboxWord::connect) answer_connect(message.value);
    }
  }
}

// --- The program
// ----------------------------------------------------------------------------------

// What both processes of the new process namespace do: the first, and the program.
class Inside {
 public:
  explicit Inside(const SandboxChildPlan& plan) : plan_(plan) {}
  // Process 1: waits for all that are left to it, and ends with the program.
  [[noreturn]] void run_first(int gate, int ready);

 private:
  [[noreturn]] void run_program();
  void must(long result, const char* step) const {
    if (result >= 0) return;
    plan_.shared->exec_step.store(step);
    plan_.shared->exec_error.store(errno);
    _exit(127);
  }
  // What this machine already limits stays so.
  void limit(int resource, std::uint64_t value) const {
    const auto which = static_cast<__rlimit_resource_t>(resource);
    rlimit bound{};
    must(getrlimit(which, &bound), "limits");
    if (value < bound.rlim_max) bound.rlim_max = value;
    bound.rlim_cur = bound.rlim_max;
    must(setrlimit(which, &bound), "limits");
  }
  void give_up_privileges() const;

  const SandboxChildPlan& plan_;
};

void Inside::give_up_privileges() const {
  if (!plan_.own_users) {
    // Where even root may not, in a namespace that denies it, there are none to give up.
    if (syscall(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) must(-1, "its groups");
    must(syscall(SYS_setresgid, plan_.gid, plan_.gid, plan_.gid), "its group");
  }
  must(prctl(PR_SET_SECUREBITS,
             SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
             0, 0, 0),
       "securebits");
  for (int capability = 0; capability < 64; ++capability)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
      must(-1, "dropping capabilities");
  if (!plan_.own_users) must(syscall(SYS_setresuid, plan_.uid, plan_.uid, plan_.uid), "its user");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  must(syscall(SYS_capset, &header, none), "dropping capabilities");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE");
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
}

void Inside::run_first(int gate, int ready) {
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
  // The kernel gives a user namespace a /proc only as long as this machine's can be seen.
  if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0)
    plan_.shared->proc_mounted.store(true);
  must(write(ready, "", 1), "telling that /proc is there");
  // Passes when the keeper has told of us; when it has died before that, so do we.
  char byte = 0;
  if (read(gate, &byte, 1) != 1) _exit(1);
  must(chroot("."), "the root");
  const pid_t program = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  must(program, "a process");
  if (program == 0) run_program();
  close(plan_.socket);
  close(plan_.output);
  // The program is the same user: nothing of it may look in here.
  must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE");
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) continue;
    if (ended == program) plan_.shared->wait_status.store(status);
    if (ended == program || ended < 0) _exit(0);
  }
}

void Inside::run_program() {
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
  // Who sends it the receiver is told by its own number for us.
  SandboxMessage here;
  here.word = SandboxWord::program;
  must(send(plan_.socket, &here, sizeof(here), MSG_NOSIGNAL), "telling who it is");
  must(setsid(), "a session");
  must(dup2(plan_.null, 0), "stdin");
  must(dup2(plan_.output, 1), "stdout");
  must(dup2(plan_.output, 2), "stderr");
  must(chdir(plan_.workdir), "its working directory");
  umask(022);
  limit(RLIMIT_CORE, 1);  // not 0: core(5), a program of this machine would be given the dump
  limit(RLIMIT_NOFILE, plan_.descriptors);
  limit(RLIMIT_NPROC, plan_.processes);
  limit(RLIMIT_AS, plan_.memory_bytes);
  limit(RLIMIT_MEMLOCK, plan_.memory_bytes);  // Gramine accepts and ignores mlock
  limit(RLIMIT_MSGQUEUE, 0);
  give_up_privileges();
  must(syscall(SYS_close_range, 3U, ~0U, 0U), "closing files");
  // A thread that was told of a call waits for its answer even when a signal comes: without that,
  // programs that send themselves signals all the time (Go) never finish a call.
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                          &plan_.filter);
  if (listener < 0 && errno == EINVAL)
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                       &plan_.filter);
  must(listener, "watching system calls");
  plan_.shared->listener.store(static_cast<int>(listener));
  execve(plan_.program, const_cast<char* const*>(plan_.argv), const_cast<char* const*>(plan_.envp));
  must(-1, "executing it");
  _exit(127);
}

void Keeper::run() {
  die_with_parent();
  must(setsid(), "a session");  // what a terminal sends its foreground is not for us
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number)
    if (number != SIGKILL && number != SIGSTOP) (void)signal(number, SIG_DFL);
  enter_namespaces();
  mount_root();
  mount_devices();
  mount_sys();
  mount_places();
  if (plan_.own_network) raise_loopback();
  int gate[2] = {-1, -1}, ready[2] = {-1, -1};
  must(pipe2(gate, O_CLOEXEC), "a pipe");
  must(pipe2(ready, O_CLOEXEC), "a pipe");
  const pid_t first = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  must(first, "a process");
  if (first == 0) {
    close(gate[1]);
    close(ready[0]);
    Inside(plan_).run_first(gate[0], ready[1]);
  }
  close(gate[0]);
  close(ready[1]);
  close(plan_.output);
  char byte = 0;
  if (read(ready[0], &byte, 1) == 1) leave_host();  // else how it ended is told below
  close(ready[0]);
  tell(SandboxWord::started, first, "");
  expect_go();
  must(write(gate[1], "", 1), "the start");
  close(gate[1]);
  answer_until_end(first);
  _exit(1);
}

}  // namespace

void run_sandbox_keeper(const SandboxChildPlan& plan) {
  Keeper(plan).run();
}

}  // namespace cloister::manifest
