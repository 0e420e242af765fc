// Where a signing key comes from: a PEM file or variable, a token, a program that signs, or a
// signature that was made elsewhere. One set of options for all kinds of keys.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/limits.h"
#include "cmd/environment.h"
#include "cmd/passphrase.h"
#include "sign/image/image_key.h"
#include "sign/key.h"
#include "sign/nitro/eif_key.h"
#include "sign/snp/id_key.h"

namespace cloister::cmd {

// "PEM file, env://NAME or pkcs11:URI", for help texts.
inline constexpr const char* kKeyForms = "PEM file, env://VARIABLE or pkcs11: URI";

struct KeyOptions {
  std::string key;         // PEM file, env://NAME, pkcs11:…
  std::string command;     // a program that signs
  std::string signature;   // a file: made elsewhere
  std::string public_key;  // of the two above: PEM file or env://NAME
  PassphraseOptions passphrase;

  bool given() const { return !key.empty() || !command.empty() || !signature.empty(); }
};

// --signer-cmd and --public-key, with `prefix` between the dashes and the name; `whose` stands in
// their help texts. --key and --passphrase-file are declared by the command.
void add_signer_options(CLI::App& app, KeyOptions& options, const std::string& prefix,
                        const std::string& whose);
// Signing in two steps: --emit-signing-data, then --signature. `data` is what is signed,
// `algorithm` how, for their help texts.
void add_two_step_options(CLI::App& app, KeyOptions& options, std::string& signing_data,
                          const std::string& data, const std::string& algorithm);
// One way to sign, and a public key exactly where there is no private one. `usage` otherwise, and,
// with `required`, when there is none; `prefix` as above.
Status check_key_options(const KeyOptions& options, const std::string& prefix = {});

// What loading a key takes of a session.
struct KeyContext {
  const Environment& env;
  const Limits& limits;
  CancelToken cancel = {};
};

template <class Key>
struct LoadedKey {
  Key key;
  std::optional<Digest> text;  // of the PEM as it was read, when it was
};
// REQUIRES: options.given(); `options` outlives the key.
Result<LoadedKey<sign::SgxKey>> load_sgx_key(const KeyOptions& options, const KeyContext& context);
Result<LoadedKey<sign::SnpIdKey>> load_snp_key(const KeyOptions& options,
                                               const KeyContext& context);
// `certificate` is one that sign::read_eif_certificate() gave.
Result<LoadedKey<sign::EifKey>> load_eif_key(const KeyOptions& options,
                                             const sign::Certificate& certificate,
                                             const KeyContext& context);
// REQUIRES: likewise, and no options.signature: what that file holds is the command's to read.
Result<LoadedKey<sign::ImageKey>> load_image_key(const KeyOptions& options,
                                                 const KeyContext& context);
// Whether a key is named by its file.
bool is_key_file(const std::string& reference);
// A PEM file, or env://NAME.
Result<sign::ImagePublicKey> load_public_key(const std::string& reference,
                                             const KeyContext& context);

}  // namespace cloister::cmd
