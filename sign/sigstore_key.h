// The encrypted private key that cosign generate-key-pair writes: scrypt and NaCl's secretbox
// around a PKCS#8 document, as JSON in PEM. Read only; what we write is standard encrypted PKCS#8.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cloister::sign {

// Whether the PEM says so: ENCRYPTED SIGSTORE PRIVATE KEY, or COSIGN in older files.
bool is_sigstore_key(ByteView pem);
// The PKCS#8 document (DER). `invalid` for a wrong passphrase or a malformed file, `limit` when the
// file asks for more memory or work than any real one does; `what` names the file.
Result<Secret> open_sigstore_key(ByteView pem, const Secret& passphrase, std::string_view what);

}  // namespace cloister::sign
