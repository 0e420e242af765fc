// A key that signs enclave image files: ECDSA on P-256, P-384 or P-521, and the certificate for it,
// which goes into the file and whose digest is PCR8.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/external_key.h"
#include "sign/nitro/cose_sign1.h"
#include "sign/private_pem.h"
#include "sign/quote/certificate.h"

namespace cloister::sign {

// The first certificate of PEM text, which is the one that AWS's tools take. `invalid` where there
// is none, or its key is none that they sign with. `what` names the file.
Result<Certificate> read_eif_certificate(ByteView pem, std::string_view what);

// How its key signs. REQUIRES: read_eif_certificate() gave it.
CoseAlgorithm eif_algorithm_of(const Certificate& certificate);

// Never printed; OpenSSL wipes it when freed. Const methods are thread-safe.
class EifKey {
 public:
  // `invalid` also when key and certificate do not belong together. `what` names the key's file.
  static Result<EifKey> from_pem(ByteView pem, const PassphraseSource& passphrase,
                                 std::string_view what, Certificate certificate);
  // Which signs by ECDSA with the hash of cose_hash(algorithm()), in DER.
  static Result<EifKey> external(ExternalKey key, Certificate certificate);

  CoseAlgorithm algorithm() const { return algorithm_; }
  const Certificate& certificate() const { return certificate_; }
  // Of a message, not of its digest; r and s as COSE has them. Verified before it is returned.
  Result<Bytes> sign(ByteView message) const;

 private:
  EifKey(Certificate certificate, CoseAlgorithm algorithm)
      : certificate_(std::move(certificate)), algorithm_(algorithm) {}
  static Result<EifKey> of(PkeyPtr key, std::string_view what, Certificate certificate);
  Result<Bytes> sign_here(ByteView message) const;

  Certificate certificate_;
  CoseAlgorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;  // of an external one the public half
  std::shared_ptr<const ExternalKey> external_;
};

}  // namespace cloister::sign
