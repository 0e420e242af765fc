// Where a key's passphrase comes from, never argv: --passphrase-file, --passphrase-fd,
// $CLOISTER_PASSWORD, $COSIGN_PASSWORD, a prompt on the terminal, else standard input.
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
// `confirm`: a prompt asks twice (a new key). The terminal's echo is off while it asks.
sign::PassphraseSource passphrase_source(const PassphraseOptions& options, const Environment& env,
                                         const std::string& prompt, bool confirm = false);

}  // namespace cloister::cmd
