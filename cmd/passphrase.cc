#include "cmd/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMaxPassphrase = 4096;

std::string first_line(std::string text) {
  if (const auto at = text.find('\n'); at != std::string::npos) text.resize(at);
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

Result<std::string> read_line_fd(int fd, std::string_view what) {
  const int copy = ::dup(fd);
  if (copy < 0)
    return Error::invalid(cat("cannot read the passphrase from ", what))
        .hint("is the file descriptor open?");
  FileSource source{Fd(copy), std::string(what)};
  // Byte by byte: what follows the line belongs to somebody else.
  std::string line;
  std::byte b{};
  while (line.size() < kMaxPassphrase) {
    CL_TRY(const std::size_t n, source.read(std::span(&b, 1)));
    if (n == 0 || b == std::byte{'\n'}) break;
    line += static_cast<char>(b);
  }
  return first_line(std::move(line));
}

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

Result<std::string> ask(int terminal, const std::string& prompt) {
  const std::string text = prompt + ": ";
  (void)!::write(terminal, text.data(), text.size());
  EchoOff echo_off(terminal);
  auto line = read_line_fd(terminal, "the terminal");
  (void)!::write(terminal, "\n", 1);
  return line;
}

Result<std::optional<std::string>> from_terminal(const std::string& prompt, bool confirm) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) return std::optional<std::string>();
  CL_TRY(std::string first, ask(terminal.get(), prompt));
  if (confirm) {
    CL_TRY(const std::string second, ask(terminal.get(), "again"));
    if (first != second) return Error::invalid("the two passphrases differ").hint("type it again");
  }
  return std::optional(std::move(first));
}

}  // namespace

void add_passphrase_options(CLI::App& app, PassphraseOptions& options) {
  app.add_option("--passphrase-file", options.file,
                 "File whose first line is the key's passphrase");
  app.add_option("--passphrase-fd", options.fd,
                 "File descriptor to read the key's passphrase from");
}

sign::PassphraseSource passphrase_source(const PassphraseOptions& options, const Environment& env,
                                         const std::string& prompt, bool confirm) {
  return [=, &env]() -> Result<std::optional<std::string>> {
    if (!options.file.empty()) {
      CL_TRY(std::string text, read_text_file(options.file, kMaxPassphrase));
      return std::optional(first_line(std::move(text)));
    }
    if (options.fd >= 0) {
      CL_TRY(std::string line, read_line_fd(options.fd, cat("file descriptor ", options.fd)));
      return std::optional(std::move(line));
    }
    for (const char* name : {"CLOISTER_PASSWORD", "COSIGN_PASSWORD"})
      if (auto it = env.variables.find(name); it != env.variables.end())
        return std::optional(it->second);
    if (env.stdin_tty) return from_terminal(prompt, confirm);
    CL_TRY(std::string line, read_line_fd(STDIN_FILENO, "standard input"));
    if (line.empty()) return std::optional<std::string>();
    return std::optional(std::move(line));
  };
}

}  // namespace cloister::cmd
