// SGX signing keys: RSA-3072 with public exponent 3, from PEM.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "sign/external_key.h"
#include "sign/private_pem.h"

namespace cloister::sign {

// Owns the key; never printed; OpenSSL wipes it when freed. Const methods are thread-safe.
class SgxKey {
 public:
  // PKCS#1 or PKCS#8 PEM, plain or encrypted. `invalid` with what is wrong: not RSA, its size, its
  // exponent (SGX demands 3072 and 3), a missing or wrong passphrase. `what` names the file.
  static Result<SgxKey> from_pem(ByteView pem, const PassphraseSource& passphrase,
                                 std::string_view what);
  static Result<SgxKey> external(ExternalKey key);
  static Result<SgxKey> generate();
  SgxKey(SgxKey&&) noexcept;
  SgxKey& operator=(SgxKey&&) noexcept;
  ~SgxKey();

  Bytes modulus_le() const;  // 384 bytes, little-endian
  // RSASSA-PKCS1-v1_5 with SHA-256; 384 bytes, big-endian as OpenSSL writes them. Verified before
  // it is returned.
  Result<Bytes> sign(ByteView data) const;
  // PKCS#8 PEM; encrypted (AES-256-CBC, scrypt) when a passphrase is given. The caller writes it
  // 0600. REQUIRES: not external().
  Result<Secret> to_pem(const std::optional<Secret>& passphrase) const;
  Result<std::string> public_pem() const;  // SubjectPublicKeyInfo
  Digest fingerprint() const;              // SHA-256 of that, in DER

 private:
  struct Impl;
  explicit SgxKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::sign
