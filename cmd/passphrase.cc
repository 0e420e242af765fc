#include "cmd/passphrase.h"

#include <unistd.h>

#include <optional>

#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/prompt.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMaxPassphrase = 4096;

Result<std::optional<Secret>> from_terminal(const std::string& prompt, bool confirm) {
  CL_TRY(auto first, ask_terminal(prompt, /*secret=*/true));
  if (!first || !confirm) return first;
  CL_TRY(const auto second, ask_terminal("again", /*secret=*/true));
  if (first != second) return Error::invalid("the two passphrases differ").hint("type it again");
  return first;
}

std::vector<const char*> variables_for(PassphraseFor use) {
  if (use == PassphraseFor::token) return {"CLOISTER_PKCS11_PIN", "COSIGN_PKCS11_PIN"};
  return {"CLOISTER_PASSWORD", "COSIGN_PASSWORD"};
}

}  // namespace

void add_passphrase_options(CLI::App& app, PassphraseOptions& options) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--passphrase-file", options.file, "File whose first line is the key's passphrase")
      ->type_name("FILE")
      ->envname("CLOISTER_PASSPHRASE_FILE");
  app.add_option("--passphrase-fd", options.fd,
                 "File descriptor to read the key's passphrase from");
}

sign::PassphraseSource passphrase_source(const PassphraseOptions& options, const Environment& env,
                                         const std::string& prompt, PassphraseFor use) {
  return [=, &options, &env]() -> Result<std::optional<Secret>> {
    if (!options.file.empty()) {
      CL_TRY(Secret text, read_secret_file(options.file, kMaxPassphrase));
      text.keep_first_line();
      return std::optional(std::move(text));
    }
    if (options.fd >= 0) {
      CL_TRY(Secret line,
             read_line_fd(options.fd, cat("file descriptor ", options.fd), "the passphrase"));
      return std::optional(std::move(line));
    }
    for (const char* name : variables_for(use))
      if (auto it = env.variables.find(name); it != env.variables.end())
        return std::optional(Secret(it->second));
    if (env.stdin_tty) return from_terminal(prompt, use == PassphraseFor::new_key);
    CL_TRY(Secret line, read_line_fd(STDIN_FILENO, "standard input", "the passphrase"));
    if (line.empty()) return std::optional<Secret>();
    return std::optional(std::move(line));
  };
}

}  // namespace cloister::cmd
