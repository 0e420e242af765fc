// Manual: seccomp_unotify(2).
#include "manifest-gen/rehearse/watch/supervisor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "manifest-gen/rehearse/system_calls.h"
#include "manifest-gen/rehearse/watch/path_calls.h"
#include "manifest-gen/rehearse/watch/path_watch.h"
#include "manifest-gen/rehearse/watch/process_table.h"
#include "manifest-gen/rehearse/watch/watched_process.h"

namespace cloister::manifest {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kSampleEvery = 100ms;
constexpr int kWaitMilliseconds = 20;  // for a call, before asking whether all is over

// What is watched beside the calls that name files: what makes and ends processes, says who they
// are, and reaches others.
constexpr int kOtherCalls[] = {SYS_clone,      SYS_fork,    SYS_vfork,   SYS_exit,
                               SYS_exit_group, SYS_getuid,  SYS_getgid,  SYS_setuid,
                               SYS_setgid,     SYS_geteuid, SYS_getegid, SYS_fchown,
                               SYS_setgroups,  SYS_socket,  SYS_connect, SYS_bind};

// Calls that Gramine lacks but the kernel needs of a program that it interrupted.
constexpr int kKernelsOwn[] = {SYS_restart_syscall};

bool unimplemented(int number) {
  const std::string_view name = system_call_name(number);
  return !name.empty() && implemented_by_gramine(name) == Implemented::no &&
         std::find(std::begin(kKernelsOwn), std::end(kKernelsOwn), number) == std::end(kKernelsOwn);
}

// Later ones have a number for a name.
std::string call_name(int number) {
  const std::string_view name = system_call_name(number);
  return name.empty() ? cat("call ", number) : std::string(name);
}

// Calls whose first argument is a descriptor, where its kind decides about the cost.
constexpr int kDescriptorCalls[] = {
    SYS_read,      SYS_write,     SYS_close,      SYS_fstat,      SYS_lseek,     SYS_ioctl,
    SYS_pread64,   SYS_pwrite64,  SYS_readv,      SYS_writev,     SYS_sendfile,  SYS_accept,
    SYS_sendto,    SYS_recvfrom,  SYS_sendmsg,    SYS_recvmsg,    SYS_shutdown,  SYS_bind,
    SYS_listen,    SYS_connect,   SYS_setsockopt, SYS_getsockopt, SYS_fcntl,     SYS_fsync,
    SYS_fdatasync, SYS_ftruncate, SYS_getdents64, SYS_epoll_wait, SYS_epoll_ctl, SYS_epoll_pwait,
    SYS_accept4,   SYS_preadv,    SYS_pwritev,    SYS_recvmmsg,   SYS_sendmmsg,  SYS_fallocate};

std::string_view family_name(int family) {
  switch (family) {
    case AF_UNIX:
      return "unix";
    case AF_INET:
      return "inet";
    case AF_INET6:
      return "inet6";
    case AF_NETLINK:
      return "netlink";
    default:
      return {};
  }
}

std::string family_text(int family) {
  const std::string_view name = family_name(family);
  return name.empty() ? cat(family) : std::string(name);
}

// "0.0.0.0:80", "[::]:80", "/run/x.sock", "@abstract"
std::string address_text(const sockaddr_storage& address, std::size_t size) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET && size >= sizeof(sockaddr_in)) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    return cat(text.data(), ":", ntohs(in.sin_port));
  }
  if (address.ss_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    return cat("[", text.data(), "]:", ntohs(in.sin6_port));
  }
  constexpr std::size_t kPathAt = offsetof(sockaddr_un, sun_path);
  if (address.ss_family == AF_UNIX && size > kPathAt) {
    const char* path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    if (path[0] == '\0') return cat("@", std::string_view(path + 1, size - kPathAt - 1));
    return std::string(path, strnlen(path, size - kPathAt));
  }
  return {};
}

}  // namespace

std::vector<int> watched_calls() {
  std::vector<int> out(std::begin(kOtherCalls), std::end(kOtherCalls));
  for (const PathCall& call : path_calls()) out.push_back(call.number);
  for (int number = 0; number < kSystemCalls; ++number)
    if (unimplemented(number)) out.push_back(number);
  std::sort(out.begin(), out.end());
  return out;
}

struct Supervisor::Impl {
  struct WatchedCall {
    int number;
    pid_t thread;
    CallArguments arguments;
  };

  Sandbox& sandbox;
  const FileRules& rules;
  SupervisorOptions options;
  ObservedRun run;
  RunRecorder recorder;
  Fd root;  // as the program sees it, with what is mounted there
  ProcessTable processes;
  PathWatch paths;
  std::string output_link;  // what /proc/PID/fd says of the program's stdout
  bool listener_open = true;
  Clock::time_point started = Clock::now(), next_sample = Clock::now();

  Impl(Sandbox& box, const FileRules& file_rules, const measure::Rootfs& rootfs,
       const SupervisorOptions& wanted, const Limits& bounds);

  void answer_one();
  CallAnswer decide(const WatchedCall& call, WatchedProcess& process);
  CallAnswer decide_path(const PathCall& named, const WatchedCall& call, WatchedProcess& process);
  // The value that a call answers without being made; nothing: `decide` says.
  std::optional<std::int64_t> identity_call(const WatchedCall& call, WatchedProcess& process);
  CallAnswer decide_clone(const WatchedCall& call, WatchedProcess& process);
  void note_socket(const WatchedCall& call);
  void note_end(const WatchedCall& call, WatchedProcess& process);
  void count(const WatchedCall& call, WatchedProcess& process);
  std::string_view object_of(std::uint64_t descriptor, pid_t thread, WatchedProcess& process);
  void note_peaks(const WatchedProcess& process);
  void sample();
  bool pass_output(const std::function<void(std::string_view)>& on_output);
};

Supervisor::Impl::Impl(Sandbox& box, const FileRules& file_rules, const measure::Rootfs& rootfs,
                       const SupervisorOptions& wanted, const Limits& bounds)
    : sandbox(box),
      rules(file_rules),
      options(wanted),
      recorder(run, bounds),
      root(open(cat("/proc/", box.program(), "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      processes({wanted.uid, wanted.uid, wanted.gid, wanted.gid}),
      paths(root.get(), rules, rootfs, wanted.learning, recorder) {
  run.source = "rehearsal";
  run.learning = options.learning;
  run.profiled = options.profile;
  run.isolation = sandbox.isolation();
  run.peak_processes = 1;
  struct stat status {};
  if (fstat(sandbox.output(), &status) == 0) output_link = cat("pipe:[", status.st_ino, "]");
}

void Supervisor::Impl::note_peaks(const WatchedProcess& process) {
  // Between execve and its first step it still is what it was, ourselves at first.
  if (link_of(process.id, "exe") != process.program) return;
  if (ProcessPeaks* const peaks = recorder.program(process.program); peaks != nullptr)
    merge_peaks(*peaks, peaks_of(process.id));
}

void Supervisor::Impl::sample() {
  const auto began = Clock::now();
  // Those too that have made no call yet that is watched.
  const std::vector<pid_t> living = descendants_of(sandbox.first());
  for (const pid_t process : living) processes.of_thread(process);
  run.peak_processes = std::max<std::uint64_t>(run.peak_processes, living.size());
  std::uint64_t memory = 0;
  for (const auto& [id, process] : processes.all()) {
    note_peaks(process);
    memory += anonymous_bytes_of(id);
  }
  if (memory > options.limits.memory_bytes) {
    recorder.note("it wanted more memory than a rehearsal allows (--memory), and was killed");
    sandbox.kill();
  }
  // Of very many processes less often.
  const auto end = Clock::now();
  next_sample = end + std::max<Clock::duration>(kSampleEvery, 10 * (end - began));
}

std::optional<std::int64_t> Supervisor::Impl::identity_call(const WatchedCall& call,
                                                            WatchedProcess& process) {
  ProcessIdentity& who = process.identity;
  const auto value = static_cast<std::uint32_t>(call.arguments[0]);
  switch (call.number) {
    case SYS_getuid:
      return who.uid;
    case SYS_geteuid:
      return who.euid;
    case SYS_getgid:
      return who.gid;
    case SYS_getegid:
      return who.egid;
    case SYS_setuid:
      who.uid = who.euid = value;
      return 0;
    case SYS_setgid:
      who.gid = who.egid = value;
      return 0;
    case SYS_setgroups:
    case SYS_fchown:
      return 0;
    default:
      return std::nullopt;
  }
}

CallAnswer Supervisor::Impl::decide_clone(const WatchedCall& call, WatchedProcess& process) {
  const bool thread = call.number == SYS_clone && (call.arguments[0] & CLONE_THREAD) != 0;
  if (thread) {
    ++run.threads;
    const std::uint64_t now = threads_of(process.id) + 1;
    if (now > options.limits.processes) return EAGAIN;
    if (ProcessPeaks* const peaks = recorder.program(process.program); peaks != nullptr)
      peaks->threads = std::max(peaks->threads, now);
    return 0;
  }
  const std::size_t living = processes.count_living();
  if (living >= options.limits.processes) {
    recorder.note("it wanted more processes than a rehearsal allows (--pids-limit)");
    return EAGAIN;
  }
  ++run.forks;
  run.peak_processes = std::max<std::uint64_t>(run.peak_processes, living + 1);
  return 0;
}

void Supervisor::Impl::note_socket(const WatchedCall& call) {
  SocketUse noted;
  if (call.number == SYS_socket) {
    noted.action = "socket";
    noted.family = family_text(static_cast<int>(call.arguments[0]));
  } else {
    noted.action = call.number == SYS_bind ? "bind" : "connect";
    sockaddr_storage address{};
    const std::size_t size = std::min<std::uint64_t>(call.arguments[2], sizeof(address));
    if (size < sizeof(sa_family_t) ||
        !read_bytes_of(call.thread, call.arguments[1], &address, size))
      return;
    noted.family = family_text(address.ss_family);
    noted.address = address_text(address, size);
  }
  recorder.count_socket(std::move(noted));
}

void Supervisor::Impl::note_end(const WatchedCall& call, WatchedProcess& process) {
  const pid_t thread = call.thread;
  if (call.number == SYS_exit_group || thread == process.id) note_peaks(process);
  if (call.number == SYS_exit_group)
    processes.forget_process(process.id);
  else
    processes.forget_thread(thread);
}

std::string_view Supervisor::Impl::object_of(std::uint64_t descriptor, pid_t thread,
                                             WatchedProcess& process) {
  const auto known = process.objects.find(descriptor);
  if (known != process.objects.end()) return known->second;
  const std::string link = link_of(thread, cat("fd/", descriptor));
  std::string_view object;
  if (link == output_link)
    object = "terminal";
  else if (link.starts_with("socket:"))
    object = "socket";
  else if (link.starts_with("pipe:"))
    object = "pipe";
  else if (link == "anon_inode:[eventfd]")
    object = "eventfd";
  else if (link == "anon_inode:[eventpoll]")
    object = "epoll";
  else if (link.starts_with("/dev/"))
    object = "device";
  else if (link.starts_with('/'))
    object = place_name(rules.place(process.lexical(link)));
  process.objects.emplace(descriptor, object);
  return object;
}

void Supervisor::Impl::count(const WatchedCall& call, WatchedProcess& process) {
  const int number = call.number;
  CallKey key{call_name(number), {}};
  const CallArguments& arguments = call.arguments;
  if (options.profile && std::find(std::begin(kDescriptorCalls), std::end(kDescriptorCalls),
                                   number) != std::end(kDescriptorCalls))
    key.object = object_of(arguments[0], call.thread, process);
  recorder.count_call(std::move(key));
  // A number may stand for another thing from here on.
  if (number == SYS_close) process.objects.erase(arguments[0]);
  if (number == SYS_dup2 || number == SYS_dup3) process.objects.erase(arguments[1]);
  if (number == SYS_close_range || number == SYS_execve) process.objects.clear();
}

CallAnswer Supervisor::Impl::decide_path(const PathCall& named, const WatchedCall& call,
                                         WatchedProcess& process) {
  const bool executes = named.kind == PathCall::Kind::execute;
  if (executes) note_peaks(process);
  const CallAnswer answer = paths.decide(named, call.arguments, call.thread, process);
  if (executes && answer == 0 && !paths.executed().empty()) {
    ++run.executions;
    process.program = paths.executed();
    if (ProcessPeaks* const peaks = recorder.program(process.program); peaks != nullptr)
      ++peaks->processes;
  }
  return answer;
}

CallAnswer Supervisor::Impl::decide(const WatchedCall& call, WatchedProcess& process) {
  const int number = call.number;
  if (number >= kSystemCalls || unimplemented(number)) {
    recorder.count_unimplemented(call_name(number));
    return ENOSYS;
  }
  if (const PathCall* named = path_call(number); named != nullptr)
    return decide_path(*named, call, process);
  switch (number) {
    case SYS_clone:
    case SYS_fork:
    case SYS_vfork:
      return decide_clone(call, process);
    case SYS_exit:
    case SYS_exit_group:
      note_end(call, process);
      return 0;
    case SYS_socket:
    case SYS_bind:
    case SYS_connect:
      note_socket(call);
      return 0;
    default:
      return 0;
  }
}

void Supervisor::Impl::answer_one() {
  seccomp_notif told{};
  if (ioctl(sandbox.listener(), SECCOMP_IOCTL_NOTIF_RECV, &told) < 0) return;  // it was interrupted
  WatchedCall call{told.data.nr, static_cast<pid_t>(told.pid), {}};
  std::copy(std::begin(told.data.args), std::end(told.data.args), call.arguments.begin());
  seccomp_notif_resp answer{};
  answer.id = told.id;
  CallAnswer decided = 0;
  if (WatchedProcess* const process = processes.of_thread(call.thread); process != nullptr) {
    count(call, *process);
    if (const auto value = identity_call(call, *process)) {
      decided = kDone;
      answer.val = *value;
    } else {
      decided = decide(call, *process);
    }
  }
  if (decided == 0) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  if (decided > 0) answer.error = -decided;
  // It may have been killed meanwhile: then nobody waits for this.
  (void)ioctl(sandbox.listener(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

bool Supervisor::Impl::pass_output(const std::function<void(std::string_view)>& on_output) {
  std::array<char, 16384> piece{};
  const ssize_t got = read(sandbox.output(), piece.data(), piece.size());
  if (got > 0) on_output({piece.data(), static_cast<std::size_t>(got)});
  return got > 0;
}

Supervisor::Supervisor(Sandbox& sandbox, const FileRules& rules, const measure::Rootfs& rootfs,
                       const SupervisorOptions& options, const Limits& limits)
    : impl_(std::make_unique<Impl>(sandbox, rules, rootfs, options, limits)) {}
Supervisor::~Supervisor() = default;

ObservedRun& Supervisor::run() {
  return impl_->run;
}

Status Supervisor::serve(const std::function<bool()>& until,
                         const std::function<void(std::string_view)>& on_output,
                         CancelToken cancel) {
  Impl& im = *impl_;
  if (!im.root.valid()) return Error::io("the root of the sandbox cannot be opened");
  for (;;) {
    CL_CHECK(cancel.check());
    pollfd waiting[2] = {{im.listener_open ? im.sandbox.listener() : -1, POLLIN, 0},
                         {im.sandbox.output(), POLLIN, 0}};
    const int ready = poll(waiting, 2, kWaitMilliseconds);
    if (ready < 0 && errno != EINTR) return Error::io("waiting for the sandbox failed");
    if (ready > 0) {
      if ((waiting[0].revents & POLLIN) != 0)
        im.answer_one();
      else if ((waiting[0].revents & (POLLHUP | POLLERR)) != 0)
        im.listener_open = false;  // nobody is left that is watched
      if ((waiting[1].revents & POLLIN) != 0) im.pass_output(on_output);
    }
    const auto now = Clock::now();
    im.run.seconds = std::chrono::duration<double>(now - im.started).count();
    if (now >= im.next_sample) {
      im.sample();
      if (until()) return {};
    }
    if (!im.listener_open || ready == 0) {
      if (!im.sandbox.ended()) continue;
      while (im.pass_output(on_output)) {
      }
      return {};
    }
  }
}

}  // namespace cloister::manifest
