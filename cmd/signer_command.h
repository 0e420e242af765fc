// A program that signs (--signer-cmd): for keys that a cloud or an appliance keeps.
//
// The protocol. The program gets the bytes to be signed (not their digest) on standard input and
// writes the signature, raw, to standard output; its standard error is passed through. The variable
// CLOISTER_SIGN_ALGORITHM says how to sign: rsa-pkcs1-sha256, ecdsa-sha256 (or -sha384, -sha512;
// the signature is DER) or ed25519. Status 0 means signed. The command is split at blanks; no shell
// looks at it. It has two minutes for each signature.
#pragma once

#include <string>

#include "cmd/key_source.h"
#include "sign/external_key.h"

namespace cloister::cmd {

// `usage` when the command is blank. `env` must outlive the key.
Result<sign::ExternalKey> signer_command_key(const std::string& command, std::string public_pem,
                                             const std::string& algorithm,
                                             const KeyContext& context);

}  // namespace cloister::cmd
