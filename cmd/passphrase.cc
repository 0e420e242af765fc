#include "cmd/passphrase.h"

#include <unistd.h>

#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cmd/prompt.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMaxPassphrase = 4096;

Result<std::optional<std::string>> from_terminal(const std::string& prompt, bool confirm) {
  CL_TRY(auto first, ask_terminal(prompt, /*secret=*/true));
  if (!first || !confirm) return first;
  CL_TRY(const auto second, ask_terminal("again", /*secret=*/true));
  if (first != second) return Error::invalid("the two passphrases differ").hint("type it again");
  return first;
}

}  // namespace

void add_passphrase_options(CLI::App& app, PassphraseOptions& options) {
  app.add_option("--passphrase-file", options.file, "File whose first line is the key's passphrase")
      ->envname("CLOISTER_PASSPHRASE_FILE");
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
      CL_TRY(std::string line,
             read_line_fd(options.fd, cat("file descriptor ", options.fd), "the passphrase"));
      return std::optional(std::move(line));
    }
    for (const char* name : {"CLOISTER_PASSWORD", "COSIGN_PASSWORD"})
      if (auto it = env.variables.find(name); it != env.variables.end())
        return std::optional(it->second);
    if (env.stdin_tty) return from_terminal(prompt, confirm);
    CL_TRY(std::string line, read_line_fd(STDIN_FILENO, "standard input", "the passphrase"));
    if (line.empty()) return std::optional<std::string>();
    return std::optional(std::move(line));
  };
}

}  // namespace cloister::cmd
