// Facts: Gramine 1.9, libos/src/sys and libos/src/fs for what the library OS answers itself, and
// pal/src/host/linux-sgx (pal_files.c, pal_sockets.c, pal_pipes.c, pal_events.c, pal_memory.c,
// pal_misc.c) for the OCALLs of the rest. An OCALL is one round trip. Where the number depends on
// the state of a cache it is that of the usual case.
#include "manifest-gen/rehearse/verdict/call_costs.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "manifest-gen/rehearse/file_rules.h"

namespace cloister::manifest {
namespace {

using CostKind = CallCost::Kind;

constexpr std::array<std::string_view, 5> kCostKinds = {"inside", "leaves", "new-enclave",
                                                        "unimplemented", "unknown"};

constexpr std::string_view kReads = "read pread64 readv preadv";
constexpr std::string_view kWrites = "write pwrite64 writev pwritev";

struct CostRow {
  std::string_view calls;   // separated by blanks
  std::string_view object;  // "*": any; else one of CallKey::object, separated by blanks
  CallCost cost;
};

// The first row that fits counts.
constexpr CostRow kRows[] = {
    // files, by what is behind them
    {kReads,
     "trusted",
     {CostKind::inside, 0, "copied from memory outside, each 16 KiB compared with their hash"}},
    {kReads, "tmpfs pseudo", {CostKind::inside, 0, "memory of the enclave"}},
    {kWrites, "tmpfs pseudo trusted", {CostKind::inside, 0, "memory of the enclave"}},
    {kReads, "encrypted", {CostKind::leaves, 1, "4 KiB blocks, of which the last used are kept"}},
    {kWrites, "encrypted", {CostKind::leaves, 1, "4 KiB blocks, written when the cache is full"}},
    {kReads, "pipe", {CostKind::leaves, 2, "a TLS record: its head, then its body"}},
    {kWrites, "pipe", {CostKind::leaves, 1, "a TLS record"}},
    {kReads, "*", {CostKind::leaves, 1, "the host reads"}},
    {kWrites, "*", {CostKind::leaves, 1, "the host writes"}},
    {"open openat creat",
     "trusted",
     {CostKind::leaves, 3, "opened, measured and mapped; hashed whole the first time"}},
    {"open openat creat", "tmpfs pseudo", {CostKind::inside, 0, "made by the library OS"}},
    {"open openat creat", "encrypted", {CostKind::leaves, 3, "opened, measured, its head read"}},
    {"open openat creat", "*", {CostKind::leaves, 2, "opened and measured"}},
    {"close", "trusted", {CostKind::leaves, 2, "unmapped and closed"}},
    {"close", "tmpfs pseudo epoll", {CostKind::inside, 0, ""}},
    {"close", "encrypted", {CostKind::leaves, 2, "what is not written yet, and the head"}},
    {"close", "*", {CostKind::leaves, 1, ""}},
    {"stat lstat newfstatat access faccessat readlink readlinkat fstat lseek",
     "*",
     {CostKind::inside, 0, "from the cache of names, but for the first look-up of a path"}},
    {"getdents getdents64", "*", {CostKind::leaves, 2, "the host lists"}},
    {"fsync fdatasync ftruncate truncate fallocate fchmod",
     "tmpfs pseudo trusted",
     {CostKind::inside, 0, ""}},
    {"fsync fdatasync", "encrypted", {CostKind::leaves, 4, "changed blocks, hashes and head"}},
    {"fsync fdatasync ftruncate truncate fallocate fchmod", "*", {CostKind::leaves, 1, ""}},
    {"rename renameat unlink unlinkat mkdir mkdirat rmdir chmod fchmodat",
     "tmpfs",
     {CostKind::inside, 0, ""}},
    {"rename renameat unlink unlinkat mkdir mkdirat rmdir chmod fchmodat",
     "*",
     {CostKind::leaves, 2, "opened by name, and changed"}},
    {"sendfile", "*", {CostKind::leaves, 1, "read within, written by the host"}},

    // waiting and waking
    {"poll ppoll select pselect6 epoll_wait epoll_pwait",
     "*",
     {CostKind::leaves, 1, "the host waits, also when something is ready"}},
    {"epoll_create epoll_create1 epoll_ctl",
     "*",
     {CostKind::inside, 0, "a list of the library OS"}},
    {"eventfd eventfd2", "*", {CostKind::leaves, 1, ""}},
    {"futex",
     "*",
     {CostKind::leaves, 1, "only contended locks call: one side sleeps, the other wakes it"}},
    {"nanosleep clock_nanosleep pause rt_sigsuspend rt_sigtimedwait wait4 waitid",
     "*",
     {CostKind::leaves, 1, "the host sleeps"}},
    {"sched_yield", "*", {CostKind::leaves, 1, ""}},

    // sockets and pipes
    {"recvfrom recvmsg sendto sendmsg accept accept4 connect bind listen shutdown setsockopt "
     "socket",
     "*",
     {CostKind::leaves, 1, ""}},
    {"recvmmsg sendmmsg", "*", {CostKind::leaves, 1, "one for each message"}},
    {"getsockname getpeername getsockopt", "*", {CostKind::inside, 0, "remembered"}},
    {"pipe pipe2 socketpair",
     "*",
     {CostKind::leaves, 12, "both ends are connected by a TLS handshake, in a helper thread"}},
    {"fcntl", "socket pipe", {CostKind::leaves, 1, ""}},
    {"ioctl", "*", {CostKind::leaves, 1, ""}},

    // memory: with EDMM each change is agreed with the kernel
    {"brk mmap munmap mprotect madvise",
     "*",
     {CostKind::inside, 0, "the enclave has its memory from the start; a mapped file is copied"}},
    {"msync mincore mlock munlock mlockall munlockall mlock2 mbind fadvise64",
     "*",
     {CostKind::inside, 0, ""}},

    // threads and processes
    {"clone", "*", {CostKind::leaves, 3, "a thread of the host, which enters the enclave"}},
    {"fork vfork",
     "*",
     {CostKind::new_enclave, 0, "a new enclave of the full size, to which all memory is sent"}},
    {"execve", "*", {CostKind::leaves, 10, "the new program is opened, hashed and mapped"}},
    {"exit exit_group", "*", {CostKind::leaves, 1, ""}},
    {"kill tkill tgkill", "*", {CostKind::inside, 0, "within one process"}},
    {"sched_setaffinity sched_getaffinity", "*", {CostKind::leaves, 1, ""}},

    // answered by the library OS
    {"clock_gettime gettimeofday time clock_getres",
     "*",
     {CostKind::inside, 0,
      "by the processor's counter, compared with the host's clock 20 times a "
      "second"}},
    {"getrandom", "*", {CostKind::inside, 0, "by the processor"}},
    {"getpid gettid getppid getuid geteuid getgid getegid setuid setgid getgroups setgroups "
     "getpgrp setpgid getpgid getsid setsid rt_sigaction rt_sigprocmask rt_sigreturn "
     "rt_sigpending sigaltstack set_tid_address set_robust_list get_robust_list arch_prctl uname "
     "getcwd chdir fchdir umask getrlimit setrlimit prlimit64 dup dup2 dup3 fcntl flock sysinfo "
     "getcpu sched_getparam sched_setparam sched_getscheduler sched_setscheduler "
     "sched_get_priority_max sched_get_priority_min sched_rr_get_interval getpriority setpriority "
     "alarm getitimer setitimer close_range statfs fstatfs chown fchown fchownat mknod mknodat "
     "chroot sethostname setdomainname getxattr lgetxattr fgetxattr listxattr llistxattr "
     "flistxattr",
     "*",
     {CostKind::inside, 0, "answered by the library OS"}},
};

bool has_word(std::string_view words, std::string_view wanted) {
  for (std::size_t at = words.find(wanted); at != std::string_view::npos;
       at = words.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' '))
      return true;
  }
  return false;
}

}  // namespace

std::string_view cost_kind_name(CallCost::Kind kind) {
  return kCostKinds[static_cast<std::size_t>(kind)];
}

CallCost cost_of(const CallKey& call, bool edmm) {
  const std::string_view name = call.name;
  if (edmm && has_word("brk mmap munmap mprotect", name))
    return {CostKind::leaves, 1, "pages are added, changed and removed with the kernel's help"};
  for (const CostRow& row : kRows)
    if (!name.empty() && has_word(row.calls, name) &&
        (row.object == "*" || (!call.object.empty() && has_word(row.object, call.object))))
      return row.cost;
  if (implemented_by_gramine(name) == Implemented::no)
    return {CostKind::unimplemented, 0, "answered with ENOSYS"};
  return {CostKind::unknown, 1, "not known: taken to leave the enclave once"};
}

}  // namespace cloister::manifest
