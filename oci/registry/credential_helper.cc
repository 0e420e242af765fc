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
pid_t spawn(const std::string& program, const char* verb_text,
            const std::map<std::string, std::string>& environment, int in, int out) {
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
  std::string name = program, verb = verb_text;
  char* argv[] = {name.data(), verb.data(), nullptr};
  std::vector<std::string> variables;
  variables.reserve(environment.size());
  for (const auto& [key, value] : environment) variables.push_back(cat(key, "=", value));
  std::vector<char*> envp;
  envp.reserve(variables.size() + 1);
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

// One run of docker-credential-NAME.
struct Call {
  const std::string& name;
  const char* verb;
  const std::string& server;  // for messages
  const std::string& file;    // likewise: who named the helper
  const std::map<std::string, std::string>& environment;
  const Limits& limits;
  std::chrono::seconds patience;

  std::string program() const { return "docker-credential-" + name; }
  Error failed(const Output& output) const {
    return Error::io(cat("the credential helper ", quote(program()), " failed to ", verb,
                         " credentials of ", quote(server)))
        .detail(cat("named by ", quote(file), ", exit status ", output.status))
        .hint("run it by hand, or pass --authfile FILE with other credentials");
  }
};

Result<Output> run_helper(const Call& call, std::string_view text) {
  if (!valid_helper_name(call.name))
    return Error::invalid(cat(quote(call.file), " names an impossible credential helper"))
        .detail(cat("got ", quote(call.name.substr(0, 100))))
        .hint("correct the file, or pass --authfile FILE with other credentials");
  CL_TRY(const Fd input, memory_file(text));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::io_errno("making a pipe", errno);
  const Fd read_end(ends[0]);
  pid_t pid = 0;
  {
    const Fd write_end(ends[1]);
    pid = spawn(call.program(), call.verb, call.environment, input.get(), write_end.get());
  }
  if (pid < 0)
    return Error::io_errno(cat("the credential helper ", quote(call.program()), " cannot be run"),
                           -pid)
        .detail(cat("named by ", quote(call.file)))
        .hint("install it, or pass --authfile FILE with other credentials");
  Child child(pid);
  return collect(child, read_end.get(), Clock::now() + call.patience, call.limits.token_body_bytes,
                 call.program());
}

}  // namespace

Result<Credentials> run_credential_helper(const std::string& name, const std::string& server,
                                          const std::string& file,
                                          const std::map<std::string, std::string>& environment,
                                          const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "get", server, file, environment, limits, patience};
  CL_TRY(const Output output, run_helper(call, server));
  if (output.status == 0) return parse_answer(output.text, call.program(), limits);
  if (output.text.find(kNotFound) != std::string::npos) return Credentials{};
  return call.failed(output);
}

Status store_with_credential_helper(const std::string& name, const std::string& server,
                                    const Credentials& credentials, const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "store", server, file, environment, limits, patience};
  const Json document = {
      {"ServerURL", server}, {"Username", credentials.username}, {"Secret", credentials.password}};
  CL_TRY(const Output output, run_helper(call, dump_json(document)));
  return output.status == 0 ? Status() : Status(call.failed(output));
}

Status erase_with_credential_helper(const std::string& name, const std::string& server,
                                    const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits, std::chrono::seconds patience) {
  const Call call{name, "erase", server, file, environment, limits, patience};
  CL_TRY(const Output output, run_helper(call, server));
  if (output.status == 0 || output.text.find(kNotFound) != std::string::npos) return {};
  return call.failed(output);
}

}  // namespace cloister::oci
