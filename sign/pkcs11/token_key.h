// Private keys in tokens: smart cards, hardware security modules, SoftHSM.
#pragma once

#include <string>

#include "base/result.h"
#include "sign/external_key.h"
#include "sign/pkcs11/uri.h"
#include "sign/private_pem.h"

namespace cloister::sign {

struct TokenAccess {
  std::string module;           // path of the PKCS#11 library; empty: p11-kit's choice
  PassphraseSource pin;         // asked at most once, when the token wants to be unlocked
  const char* hash = "SHA256";  // of RSA and ECDSA signatures, by OpenSSL's name
};

// Finds the key, reads its public half, and gives what signs with it. OpenSSL's pkcs11 provider
// does the work where there is one, else the pkcs11 engine (libp11). `invalid` when there is
// neither, when the token library cannot be loaded, or it has no such key, or the PIN is missing or
// wrong.
Result<ExternalKey> open_token_key(const Pkcs11Uri& uri, TokenAccess access);

}  // namespace cloister::sign
