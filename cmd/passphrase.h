// Where a key's passphrase comes from, never argv: --passphrase-file, --passphrase-fd,
// $CLOISTER_PASSWORD, $COSIGN_PASSWORD, a prompt on the terminal, else standard input. The PIN of a
// token likewise, by its own variables: $CLOISTER_PKCS11_PIN, $COSIGN_PKCS11_PIN.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cmd/environment.h"
#include "sign/key.h"

namespace cloister::cmd {

struct PassphraseOptions {
  std::string file;
  int fd = -1;
  bool given() const { return !file.empty() || fd >= 0; }
};

void add_passphrase_options(CLI::App& app, PassphraseOptions& options);

enum class PassphraseFor {
  key,
  new_key,  // a prompt asks twice
  token,    // its PIN
};
// The terminal's echo is off while it asks. `options` and `env` must outlive the source.
sign::PassphraseSource passphrase_source(const PassphraseOptions& options, const Environment& env,
                                         const std::string& prompt,
                                         PassphraseFor use = PassphraseFor::key);

}  // namespace cloister::cmd
