#include "manifest-gen/rehearse/sandbox/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <thread>

#include "base/text.h"
#include "manifest-gen/rehearse/sandbox/sandbox_child.h"

namespace cloister::manifest {
namespace {

using namespace std::chrono_literals;

// Whom the program is for this machine when root starts it: nobody.
constexpr uid_t kNobody = 65534;
constexpr std::uint32_t kX32Bit = 0x40000000;

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Error system_error(std::string_view what, int error) {
  return Error::io(cat("cannot make a sandbox: ", what, ": ", errno_text(error)));
}

// seccomp(2): calls of another architecture do not exist; those watched go to the listener. The
// kernel knows which numbers pass whatever their arguments are, and asks no program about them.
std::vector<sock_filter> call_filter(std::vector<int> watched, bool every_call) {
  std::sort(watched.begin(), watched.end());
  const auto load = [](std::size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  };
  const auto answer = [](std::uint32_t action) {
    return sock_filter BPF_STMT(BPF_RET | BPF_K, action);
  };
  const auto no_call = answer(SECCOMP_RET_ERRNO | ENOSYS);
  std::vector<sock_filter> out;
  out.push_back(load(offsetof(seccomp_data, arch)));
  out.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  out.push_back(no_call);
  out.push_back(load(offsetof(seccomp_data, nr)));
  out.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
  out.push_back(no_call);
  if (every_call) watched = {SYS_rt_sigreturn, SYS_restart_syscall};
  for (const int number : watched) {
    out.push_back(
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
    out.push_back(answer(every_call ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF));
  }
  out.push_back(answer(every_call ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW));
  return out;
}

Status write_map(pid_t keeper, const char* file, const std::string& text) {
  const std::string path = cat("/proc/", keeper, "/", file);
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error(cat("writing ", file, " of the user namespace"), errno);
  return {};
}

Result<Fd> open_process(pid_t process) {
  Fd handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle.valid()) return system_error("watching the program", errno);
  return handle;
}

// The array of a process's words, ending with null.
std::vector<const char*> pointers(const std::vector<std::string>& words) {
  std::vector<const char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(word.c_str());
  out.push_back(nullptr);
  return out;
}

std::string_view relative(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

}  // namespace

struct Sandbox::Impl {
  SandboxPlan plan;
  SandboxShared* shared = nullptr;
  Fd socket, output, root, listener;
  pid_t keeper = -1, first = -1, program = -1;
  Fd first_handle, program_handle;
  uid_t owner = 0;  // on this machine
  gid_t owner_group = 0;
  bool reaped = false;

  // What the child reads; it has a copy of this memory.
  std::vector<std::string> argv, env, memory_mounts, binds;
  std::vector<sock_filter> filter;
  std::string root_options, memory_options;
  std::vector<const char*> argv_words, env_words, mount_words, bind_words;

  ~Impl();
  Status launch();
  void prepare(SandboxChildPlan& child);
  Result<SandboxMessage> hear(Fd* descriptor = nullptr, pid_t* sender = nullptr);
  Result<pid_t> hear_program();
  Result<SandboxMessage> expect(SandboxWord word);
  Status say(SandboxWord word, int value = 0);
  Status map_ids();
  Status take_listener();
  Status choose_owner(const Fd& output_end);
  Error failure(const SandboxMessage& message) const;
};

Sandbox::Impl::~Impl() {
  if (first_handle.valid())
    (void)syscall(SYS_pidfd_send_signal, first_handle.get(), SIGKILL, nullptr, 0);
  // The keeper ends with what is inside; before there is anything, nothing else ends it.
  if (keeper > 0 && !reaped) {
    if (!first_handle.valid()) (void)::kill(keeper, SIGKILL);
    listener = Fd();
    while (waitpid(keeper, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (shared != nullptr) munmap(shared, sizeof(SandboxShared));
}

void Sandbox::Impl::prepare(SandboxChildPlan& child) {
  argv = plan.argv;
  for (const auto& [name, value] : plan.env) env.push_back(cat(name, "=", value));
  for (const std::string& path : plan.memory_mounts) memory_mounts.emplace_back(relative(path));
  for (const auto& [from, to] : plan.bind_mounts) {
    binds.emplace_back(relative(from));
    binds.emplace_back(relative(to));
  }
  argv_words = pointers(argv);
  env_words = pointers(env);
  mount_words = pointers(memory_mounts);
  bind_words = pointers(binds);
  filter = call_filter(plan.watched, plan.every_call);
  root_options = cat("mode=0755,size=", plan.limits.memory_bytes, ",nr_inodes=", plan.limits.files);
  memory_options =
      cat("mode=0777,size=", plan.limits.memory_bytes, ",nr_inodes=", plan.limits.files);
  if (!plan.own_users) {
    root_options += cat(",uid=", owner, ",gid=", owner_group);
    memory_options += cat(",uid=", owner, ",gid=", owner_group);
  }
  child.parent = getpid();
  child.shared = shared;
  child.own_users = plan.own_users;
  child.own_network = plan.own_network;
  child.uid = plan.own_users ? plan.uid : owner;
  child.gid = plan.own_users ? plan.gid : owner_group;
  child.root_options = root_options.c_str();
  child.memory_options = memory_options.c_str();
  child.memory_mounts = mount_words.data();
  child.binds = bind_words.data();
  child.program = plan.program.c_str();
  child.argv = argv_words.data();
  child.envp = env_words.data();
  child.workdir = plan.workdir.c_str();
  child.memory_bytes = plan.limits.memory_bytes;
  child.processes = plan.limits.processes;
  child.descriptors = plan.limits.descriptors;
  child.filter = {static_cast<unsigned short>(filter.size()), filter.data()};
  // It is covered for nobody but the keeper.
  for (const char* directory : {"/tmp", "/mnt", "/run", "/var", "/usr"})
    if (child.mount_point == nullptr && access(directory, F_OK) == 0) child.mount_point = directory;
}

Result<SandboxMessage> Sandbox::Impl::hear(Fd* descriptor, pid_t* sender) {
  SandboxMessage message;
  iovec part{&message, sizeof(message)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(ucred))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ssize_t got = 0;
  do {
    got = recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  for (cmsghdr* part_of = got > 0 ? CMSG_FIRSTHDR(&header) : nullptr; part_of != nullptr;
       part_of = CMSG_NXTHDR(&header, part_of)) {
    if (part_of->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part_of), sizeof(int));
      Fd owned(fd);
      if (descriptor != nullptr) *descriptor = std::move(owned);
    } else if (part_of->cmsg_type == SCM_CREDENTIALS && sender != nullptr) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(part_of), sizeof(who));
      *sender = who.pid;
    }
  }
  if (got != static_cast<ssize_t>(sizeof(message)))
    return Error::io("the sandbox has ended before its time");
  return message;
}

Error Sandbox::Impl::failure(const SandboxMessage& message) const {
  const std::string what(message.what, strnlen(message.what, sizeof(message.what)));
  if (message.value == EPERM || message.value == ENOSPC || message.value == EINVAL ||
      message.value == ENOSYS)
    return Error::unavailable(
        cat("this machine allows no sandbox: ", what, ": ", errno_text(message.value)));
  return system_error(what, message.value);
}

Result<SandboxMessage> Sandbox::Impl::expect(SandboxWord word) {
  CL_TRY(const SandboxMessage message, hear());
  if (message.word == SandboxWord::failed) return failure(message);
  if (message.word != word) return Error::io("the sandbox does not answer as it should");
  return message;
}

Status Sandbox::Impl::say(SandboxWord word, int value) {
  SandboxMessage message;
  message.word = word;
  message.value = value;
  if (send(socket.get(), &message, sizeof(message), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof(message)))
    return Error::io("the sandbox has ended before its time");
  return {};
}

// Of those inside only the kernel knows what they are called here.
Result<pid_t> Sandbox::Impl::hear_program() {
  pid_t sender = -1;
  CL_TRY(const SandboxMessage message, hear(nullptr, &sender));
  if (message.word == SandboxWord::failed) return failure(message);
  if (message.word != SandboxWord::program || sender <= 0)
    return Error::io("the sandbox does not answer as it should");
  return sender;
}

Status Sandbox::Impl::map_ids() {
  CL_TRY(const SandboxMessage message, expect(SandboxWord::map_ids));
  (void)message;
  CL_CHECK(write_map(keeper, "setgroups", "deny"));
  CL_CHECK(write_map(keeper, "uid_map", cat(plan.uid, " ", owner, " 1\n")));
  CL_CHECK(write_map(keeper, "gid_map", cat(plan.gid, " ", owner_group, " 1\n")));
  return say(SandboxWord::go);
}

// `output` becomes the owner's: programs open /dev/stdout again.
Status Sandbox::Impl::choose_owner(const Fd& output_end) {
  owner = geteuid();
  owner_group = getegid();
  if (owner != 0) return {};
  const bool as_itself = !plan.own_users && plan.uid != 0;
  const uid_t other = as_itself ? plan.uid : kNobody;
  const gid_t other_group = as_itself ? plan.gid : kNobody;
  if (fchown(output_end.get(), other, other_group) == 0) {
    owner = other;
    owner_group = other_group;
  } else if (errno != EINVAL) {  // in a namespace where root is the only user, it is nobody outside
    return system_error("a pipe", errno);
  }
  return {};
}

Status Sandbox::Impl::launch() {
  if (!plan.own_users && geteuid() != 0)
    return Error::unavailable("without a user namespace only root can make a sandbox");
  void* page = mmap(nullptr, sizeof(SandboxShared), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return system_error("memory", errno);
  shared = new (page) SandboxShared;
  int sockets[2] = {-1, -1}, pipes[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
    return system_error("a socket", errno);
  socket = Fd(sockets[0]);
  const int on = 1;
  if (setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
    return system_error("a socket", errno);
  const Fd its_socket(sockets[1]);
  if (pipe2(pipes, O_CLOEXEC) < 0) return system_error("a pipe", errno);
  output = Fd(pipes[0]);
  const Fd its_output(pipes[1]);
  CL_CHECK(choose_owner(its_output));
  (void)fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.valid()) return system_error("/dev/null", errno);
  SandboxChildPlan child;
  prepare(child);
  child.socket = its_socket.get();
  child.output = its_output.get();
  child.null = null.get();
  if (child.mount_point == nullptr) return system_error("a directory to mount it on", ENOENT);
  keeper = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (keeper < 0) return system_error("a process", errno);
  if (keeper == 0) run_sandbox_keeper(child);
  return {};
}

// The listener's number is known once the filter is there; then the program waits in execve.
Status Sandbox::Impl::take_listener() {
  for (int number = -1;; std::this_thread::sleep_for(1ms)) {
    number = shared->listener.load();
    if (number >= 0) {
      listener = Fd(static_cast<int>(syscall(SYS_pidfd_getfd, program_handle.get(), number, 0U)));
      if (!listener.valid()) return system_error("taking over what watches it", errno);
      return {};
    }
    if (const int error = shared->exec_error.load(); error != 0) {
      const char* step = shared->exec_step.load();
      return error == EINVAL || error == EPERM || error == EBUSY || error == ENOSYS
                 ? Error::unavailable(
                       cat("this machine allows no sandbox: ", step, ": ", errno_text(error)))
                 : system_error(step, error);
    }
    pollfd waiting{program_handle.get(), POLLIN, 0};
    if (poll(&waiting, 1, 0) > 0) return Error::io("the sandbox has ended before its time");
  }
}

Sandbox::Sandbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sandbox::~Sandbox() = default;

Result<std::unique_ptr<Sandbox>> Sandbox::create(SandboxPlan plan) {
  auto impl = std::make_unique<Impl>();
  impl->plan = std::move(plan);
  CL_CHECK(impl->launch());
  if (impl->plan.own_users) CL_CHECK(impl->map_ids());
  CL_TRY(const SandboxMessage message, impl->expect(SandboxWord::fill_root));
  (void)message;
  const std::string path = cat("/proc/", impl->keeper, "/cwd");
  impl->root = Fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!impl->root.valid()) return system_error("its root", errno);
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(impl)));
}

int Sandbox::root() const {
  return impl_->root.get();
}

std::string Sandbox::isolation() const {
  return impl_->plan.own_users ? "user namespace" : "root without a user namespace";
}

Status Sandbox::start() {
  CL_CHECK(impl_->say(SandboxWord::go));
  CL_TRY(const SandboxMessage started, impl_->expect(SandboxWord::started));
  impl_->first = started.value;
  CL_TRY(impl_->first_handle, open_process(impl_->first));
  CL_CHECK(impl_->say(SandboxWord::go));
  CL_TRY(impl_->program, impl_->hear_program());
  CL_TRY(impl_->program_handle, open_process(impl_->program));
  return impl_->take_listener();
}

bool Sandbox::has_proc() const {
  return impl_->shared->proc_mounted.load();
}

int Sandbox::listener() const {
  return impl_->listener.get();
}

pid_t Sandbox::first() const {
  return impl_->first;
}

pid_t Sandbox::program() const {
  return impl_->program;
}

int Sandbox::output() const {
  return impl_->output.get();
}

Result<Fd> Sandbox::connect(std::uint16_t port) {
  CL_CHECK(impl_->say(SandboxWord::connect, port));
  Fd connection;
  CL_TRY(const SandboxMessage message, impl_->hear(&connection));
  if (message.word == SandboxWord::connected && connection.valid()) return connection;
  return Error::unavailable(
      cat("nothing answers at port ", port, " of the sandbox: ", errno_text(message.value)));
}

void Sandbox::signal(int number) {
  (void)syscall(SYS_pidfd_send_signal, impl_->program_handle.get(), number, nullptr, 0);
}

void Sandbox::kill() {
  (void)syscall(SYS_pidfd_send_signal, impl_->first_handle.get(), SIGKILL, nullptr, 0);
}

bool Sandbox::ended() {
  if (impl_->reaped) return true;
  const pid_t got = waitpid(impl_->keeper, nullptr, WNOHANG);
  impl_->reaped = got == impl_->keeper || (got < 0 && errno == ECHILD);
  return impl_->reaped;
}

Ending Sandbox::ending() const {
  const int status = impl_->shared->wait_status.load();
  if (status < 0) return {true, SIGKILL};  // the keeper was killed before it could say
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

AsOwner::AsOwner(const Sandbox& sandbox) {
  if (geteuid() != 0) return;
  changed_ = true;
  setfsgid(sandbox.impl_->owner_group);
  setfsuid(sandbox.impl_->owner);
}

AsOwner::~AsOwner() {
  if (!changed_) return;
  setfsuid(0);
  setfsgid(0);
}

}  // namespace cloister::manifest
