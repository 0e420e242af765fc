// Keys that sign ID blocks of SEV-SNP: ECDSA on P-384 with SHA-384, the only kind that AMD's
// firmware takes.
#pragma once

#include <array>
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

// Two numbers of 48 bytes each, big-endian: x and y of a point, r and s of a signature.
using P384Pair = std::array<std::byte, 96>;

// Owns the key; never printed; OpenSSL wipes it when freed. Const methods are thread-safe.
class SnpIdKey {
 public:
  // PKCS#8 or SEC 1 PEM, plain or encrypted. `invalid` with what is wrong: another kind of key or
  // curve, a missing or wrong passphrase. `what` names the file.
  static Result<SnpIdKey> from_pem(ByteView pem, const PassphraseSource& passphrase,
                                   std::string_view what);
  // Its signatures are DER, over SHA-384.
  static Result<SnpIdKey> external(ExternalKey key);
  static Result<SnpIdKey> generate();
  SnpIdKey(SnpIdKey&&) noexcept;
  SnpIdKey& operator=(SnpIdKey&&) noexcept;
  ~SnpIdKey();

  P384Pair point() const;
  // Verified before it is returned.
  Result<P384Pair> sign(ByteView data) const;
  // PKCS#8 PEM; encrypted (AES-256-CBC, scrypt) when a passphrase is given. The caller writes it
  // 0600. REQUIRES: not external().
  Result<Secret> to_pem(const std::optional<Secret>& passphrase) const;
  Result<std::string> public_pem() const;  // SubjectPublicKeyInfo

 private:
  struct Impl;
  explicit SnpIdKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether `signature` is one over `data` by the key of `point`; false for a point off the curve.
bool verify_p384(const P384Pair& point, ByteView data, const P384Pair& signature);

}  // namespace cloister::sign
