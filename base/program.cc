// The input is a little file in memory rather than a pipe: a program that never reads can then
// neither block us nor raise SIGPIPE. It starts with default signals.
#include "base/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/file.h"
#include "base/text.h"

namespace cloister {
namespace {

using ProgramClock = std::chrono::steady_clock;

// A child that is killed and reaped unless ended() got there first.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // True once it has ended; then status() is its exit status, -1 after a signal.
  bool ended() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = -1;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return true;
  }
  int status() const { return status_; }

 private:
  pid_t pid_;
  int status_ = -1;
};

Result<Fd> memory_file(ByteView bytes) {
  Fd fd(memfd_create("cloister-program-input", MFD_CLOEXEC));
  if (!fd.valid()) return Error::io_errno("preparing the input of a program", errno);
  while (!bytes.empty()) {
    const ssize_t n = write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error::io_errno("preparing the input of a program", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0)
    return Error::io_errno("preparing the input of a program", errno);
  return fd;
}

// Null-terminated, for exec. `texts` must stay in place.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The process id, or minus errno.
pid_t spawn(const ProgramRun& run, int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (!run.show_errors) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = run.arguments, variables;
  variables.reserve(run.environment.size());
  for (const auto& [name, value] : run.environment) variables.push_back(cat(name, "=", value));
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, run.arguments.front().c_str(), &actions, &attributes,
                                 pointers(arguments).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -error;
}

Result<ProgramOutput> collect(const ProgramRun& run, Child& child, int fd) {
  const auto deadline = ProgramClock::now() + run.patience;
  const std::string program = quote(run.arguments.front());
  const auto late = [&] { return Error::unavailable(cat(program, " did not answer in time")); };
  ProgramOutput out;
  std::byte buffer[4096];
  for (;;) {
    if (ProgramClock::now() >= deadline) return late();
    CL_CHECK(run.cancel.check());
    pollfd poll_fd{fd, POLLIN, 0};
    if (poll(&poll_fd, 1, 100) <= 0) continue;
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (out.output.size() + static_cast<std::size_t>(n) > run.max_output)
      return Error::limit(cat(program, " prints more than ", human_bytes(run.max_output)));
    out.output.insert(out.output.end(), buffer, buffer + n);
  }
  while (!child.ended()) {
    if (ProgramClock::now() >= deadline) return late();
    CL_CHECK(run.cancel.check());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  out.status = child.status();
  return out;
}

}  // namespace

Result<ProgramOutput> run_program(const ProgramRun& run) {
  CL_TRY(const Fd input, memory_file(run.input));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::io_errno("making a pipe", errno);
  const Fd read_end(ends[0]);
  pid_t pid = 0;
  {
    const Fd write_end(ends[1]);
    pid = spawn(run, input.get(), write_end.get());
  }
  if (pid < 0) return Error::io_errno(cat(quote(run.arguments.front()), " cannot be run"), -pid);
  Child child(pid);
  return collect(run, child, read_end.get());
}

}  // namespace cloister
