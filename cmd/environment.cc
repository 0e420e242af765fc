#include "cmd/environment.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"

namespace cloister::cmd {
namespace {

std::atomic<bool> g_interrupted{false};  // the one global: a signal handler has no other way
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_interrupt(int) {
  g_interrupted.store(true, std::memory_order_relaxed);
}

}  // namespace

std::optional<std::string> Environment::get(std::string_view name) const {
  auto it = variables.find(std::string(name));
  if (it == variables.end() || it->second.empty()) return std::nullopt;
  return it->second;
}

std::string Environment::cache_directory() const {
  if (auto v = get("XDG_CACHE_HOME")) return *v + "/cloister";
  return get("HOME").value_or("/tmp") + "/.cache/cloister";
}

std::string Environment::state_directory() const {
  if (auto v = get("XDG_STATE_HOME")) return *v + "/cloister";
  return get("HOME").value_or("/tmp") + "/.local/state/cloister";
}

unsigned terminal_columns() {
  winsize size{};
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO})
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Environment read_environment() {
  Environment env;
  for (char** p = environ; *p != nullptr; ++p) {
    const std::string_view line(*p);
    const std::size_t at = line.find('=');
    if (at != std::string_view::npos)
      env.variables.emplace(line.substr(0, at), line.substr(at + 1));
  }
  env.user_id = ::getuid();
  env.stdin_tty = ::isatty(STDIN_FILENO) == 1;
  env.stdout_tty = ::isatty(STDOUT_FILENO) == 1;
  env.stderr_tty = ::isatty(STDERR_FILENO) == 1;
  env.columns = terminal_columns();
  env.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  env.interrupted = &g_interrupted;

  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C is not asked politely
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a closed connection or pipe is an error value
  return env;
}

}  // namespace cloister::cmd
