// Private keys as PEM, whatever they will sign: read with or without a passphrase, and written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "sign/openssl.h"

namespace cloister::sign {

// Asked for at most once, and only when the PEM is encrypted. Nothing: there is no passphrase.
using PassphraseSource = std::function<Result<std::optional<Secret>>()>;

// PKCS#8, PKCS#1 or SEC 1 PEM, plain or encrypted, or a key of cosign's (sigstore_key.h); a
// certificate or public key is no private key.
// `invalid` with what is wrong; `what` names the file, `hint` how to come by a key that does.
Result<PkeyPtr> read_private_pem(ByteView pem, const PassphraseSource& passphrase,
                                 std::string_view what, std::string_view hint);
// PKCS#8 PEM; encrypted (AES-256-CBC, scrypt) when a passphrase is given.
Result<Secret> write_private_pem(evp_pkey_st* key, const std::optional<Secret>& passphrase);
// PUBLIC KEY (SubjectPublicKeyInfo) or CERTIFICATE (its key; nothing else of it is looked at).
Result<PkeyPtr> read_public_pem(ByteView pem, std::string_view what);
Result<std::string> write_public_pem(evp_pkey_st* key);  // SubjectPublicKeyInfo

// "OpenSSL failed at `doing`", with its reason.
Error openssl_failure(std::string_view doing);

}  // namespace cloister::sign
