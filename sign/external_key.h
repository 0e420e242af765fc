// A key whose private half is not in this process: in a token, with another program, or used
// elsewhere, with the signatures brought here.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::sign {

struct ExternalKey {
  std::string public_pem;  // PUBLIC KEY or CERTIFICATE
  std::string name;        // for messages, quoted where it has to be
  // The signature of a message (not of its digest), as the key's kind has it: RSASSA-PKCS1-v1_5
  // with SHA-256, ECDSA in DER with SHA-256 (SHA-384 for ID blocks of SEV-SNP, the hash of
  // cose_hash() for enclave images of Nitro), or pure Ed25519. The caller verifies it.
  std::function<Result<Bytes>(ByteView message)> sign;
};

}  // namespace cloister::sign
