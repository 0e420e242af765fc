// The helper is named by a configuration file, so its name is checked (a slash would run any file).
// Its input is a sealed little file in memory rather than a pipe: a helper that never reads can
// then neither block us nor raise SIGPIPE. It gets the environment that the caller hands on, which
// it needs (HOME, PATH, DBUS…), and default signals. It says "no such credentials" by a sentence on
// standard output and a non-zero status. Its output is a secret and never shown.
#include "oci/registry/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kNotFound = "credentials not found in native keychain";
constexpr std::string_view kIdentityUser = "<token>";

bool valid_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

// A child that is killed and reaped unless wait() got there first.
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

Result<Fd> memory_file(std::string_view text) {
  Fd fd(memfd_create("credential-helper-input", MFD_CLOEXEC));
  if (!fd.valid() ||
      write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(fd.get(), 0, SEEK_SET) != 0)
    return Error::io_errno("preparing the input of a credential helper", errno);
  return fd;
}

// The process id, or minus errno.
pid_t spawn(const std::string& program, const std::map<std::string, std::string>& environment,
            int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = program, verb = "get";
  char* argv[] = {name.data(), verb.data(), nullptr};
  std::vector<std::string> variables;
  for (const auto& [key, value] : environment) variables.push_back(cat(key, "=", value));
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, program.c_str(), &actions, &attributes, argv, envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -error;
}

struct Output {
  int status;
  std::string text;
};

Result<Output> collect(Child& child, int fd, Clock::time_point deadline, std::uint64_t max,
                       const std::string& program) {
  const auto late = [&] {
    return Error::unavailable(cat(quote(program), " did not answer in time"))
        .hint("run it by hand, or pass --authfile FILE");
  };
  Output output{};
  char buffer[4096];
  for (;;) {
    if (Clock::now() >= deadline) return late();
    pollfd poll_fd{fd, POLLIN, 0};
    if (poll(&poll_fd, 1, 100) <= 0) continue;
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    output.text.append(buffer, static_cast<std::size_t>(n));
    if (output.text.size() > max)
      return Error::limit(cat(quote(program), " prints more than ", human_bytes(max)));
  }
  while (!child.ended()) {
    if (Clock::now() >= deadline) return late();
    std::this_thread::sleep_for(milliseconds(5));
  }
  output.status = child.status();
  return output;
}

Result<Credentials> parse_answer(const std::string& text, const std::string& program,
                                 const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, cat("the answer of ", quote(program))));
  CL_TRY(auto username, get_string(json, "Username"));
  CL_TRY(auto secret, get_string(json, "Secret"));
  Credentials out;
  if (!secret || secret->empty()) return out;
  if (username == kIdentityUser) {
    out.identity_token = std::move(*secret);
  } else {
    out.username = username.value_or("");
    out.password = std::move(*secret);
  }
  return out;
}

}  // namespace

Result<Credentials> run_credential_helper(const std::string& name, const std::string& server,
                                          const std::string& file,
                                          const std::map<std::string, std::string>& environment,
                                          const Limits& limits, std::chrono::seconds patience) {
  if (!valid_helper_name(name))
    return Error::invalid(cat(quote(file), " names an impossible credential helper"))
        .detail(cat("got ", quote(name.substr(0, 100))))
        .hint("correct the file, or pass --authfile FILE with other credentials");
  const std::string program = "docker-credential-" + name;
  CL_TRY(const Fd input, memory_file(server));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::io_errno("making a pipe", errno);
  const Fd read_end(ends[0]);
  pid_t pid = 0;
  {
    const Fd write_end(ends[1]);
    pid = spawn(program, environment, input.get(), write_end.get());
  }
  if (pid < 0)
    return Error::io_errno(cat("the credential helper ", quote(program), " cannot be run"), -pid)
        .detail(cat("named by ", quote(file)))
        .hint("install it, or pass --authfile FILE with other credentials");
  Child child(pid);
  CL_TRY(const Output output,
         collect(child, read_end.get(), Clock::now() + patience, limits.token_body_bytes, program));
  if (output.status == 0) return parse_answer(output.text, program, limits);
  if (output.text.find(kNotFound) != std::string::npos) return Credentials{};
  return Error::io(cat("the credential helper ", quote(program), " failed for ", quote(server)))
      .detail(cat("named by ", quote(file), ", exit status ", output.status))
      .hint("run it by hand, or pass --authfile FILE with other credentials");
}

}  // namespace cloister::oci
