#include "cmd/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;

// Turns the terminal's echo off while it lives.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), ok_(::tcgetattr(fd, &saved_) == 0) {
    if (!ok_) return;
    termios quiet = saved_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (ok_) ::tcsetattr(fd_, TCSAFLUSH, &saved_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  int fd_;
  termios saved_{};
  bool ok_;
};

}  // namespace

Result<Secret> read_line_fd(int fd, std::string_view what, std::string_view of_what) {
  const int copy = ::dup(fd);
  if (copy < 0)
    return Error::invalid(cat("cannot read ", of_what, " from ", what))
        .hint("is the file descriptor open?");
  FileSource source{Fd(copy), std::string(what)};
  // Byte by byte: what follows the line belongs to somebody else.
  Bytes line;
  line.reserve(kMaxLine);  // growing would leave copies of a secret behind
  std::byte b{};
  while (line.size() < kMaxLine) {
    auto n = source.read(std::span(&b, 1));
    if (!n.has_value()) {
      wipe(line);
      return std::move(n).error();
    }
    if (*n == 0 || b == std::byte{'\n'}) break;
    line.push_back(b);
  }
  Secret out(std::move(line));
  out.keep_first_line();  // a CR at its end
  return out;
}

Result<std::optional<Secret>> ask_terminal(const std::string& prompt, bool secret) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) return std::optional<Secret>();
  const std::string text = prompt + ": ";
  (void)!::write(terminal.get(), text.data(), text.size());
  std::optional<EchoOff> echo_off;
  if (secret) echo_off.emplace(terminal.get());
  CL_TRY(Secret line, read_line_fd(terminal.get(), "the terminal", "an answer"));
  if (secret) (void)!::write(terminal.get(), "\n", 1);
  return std::optional(std::move(line));
}

}  // namespace cloister::cmd
