// Private keys in files that were not meant to be looked at for them: in the layers of an image.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/digest.h"

namespace cloister::sign {

struct FoundKey {
  Digest fingerprint;  // SHA-256 of its SubjectPublicKeyInfo (DER), as of SgxKey and ImagePublicKey
  bool sgx = false;    // RSA with 3072 bits and public exponent 3: made to sign enclaves
};

// The keys that stand there in the clear, in PEM (also indented, or as a string with \n in it, as
// in YAML, JSON and TOML) or alone in DER. One that is encrypted is nobody's without its
// passphrase, and not reported. Linear in the size; at most 64 keys of a file are looked at: this
// finds what was left by mistake, not what was hidden.
std::vector<FoundKey> find_private_keys(ByteView content);

}  // namespace cloister::sign
