// Keys that sign images and attestations: what cosign and the containers policy accept.
//
// ECDSA signatures are DER (r, s) over SHA-256, for P-384 too (cosign verifies no other); RSA is
// RSASSA-PKCS1-v1_5 with SHA-256; Ed25519 is pure (RFC 8032). RSA-PSS is refused: cosign cannot
// verify it.
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

enum class ImageKeyKind { ecdsa_p256, ecdsa_p384, ed25519, rsa };
// "ecdsa-p256", "ecdsa-p384", "ed25519", "rsa"; nothing for another text.
std::string_view image_key_kind_name(ImageKeyKind kind);
std::optional<ImageKeyKind> parse_image_key_kind(std::string_view name);

// Verifies. Copies share the key; const methods are thread-safe.
class ImagePublicKey {
 public:
  // PUBLIC KEY (SubjectPublicKeyInfo) or CERTIFICATE (its key; nothing else of it is looked at).
  // `invalid` for another kind of key, an RSA key below 2048 bits, or no key. `what` names the
  // file.
  static Result<ImagePublicKey> from_pem(ByteView pem, std::string_view what);

  // Over the message itself, never over its digest. False for any other bytes, also malformed ones.
  bool verify(ByteView message, ByteView signature) const;
  ImageKeyKind kind() const { return kind_; }
  const Bytes& spki() const { return spki_; }           // SubjectPublicKeyInfo, DER
  const Digest& fingerprint() const { return print_; }  // SHA-256 of spki()
  std::string pem() const;

 private:
  friend class ImageKey;
  static Result<ImagePublicKey> of(std::shared_ptr<evp_pkey_st> key, std::string_view what);
  std::shared_ptr<evp_pkey_st> key_;
  ImageKeyKind kind_ = ImageKeyKind::ecdsa_p256;
  Bytes spki_;
  Digest print_;
};

// Signs. Never printed; OpenSSL wipes it when freed. Const methods are thread-safe.
class ImageKey {
 public:
  static Result<ImageKey> from_pem(ByteView pem, const PassphraseSource& passphrase,
                                   std::string_view what);
  static Result<ImageKey> external(ExternalKey key);
  // RSA keys have 3072 bits.
  static Result<ImageKey> generate(ImageKeyKind kind);

  // What was signed is verified before it is returned.
  Result<Bytes> sign(ByteView message) const;
  const ImagePublicKey& public_key() const { return public_; }
  // PKCS#8 PEM; encrypted when a passphrase is given. The caller writes it 0600.
  // REQUIRES: not external().
  Result<Secret> to_pem(const std::optional<Secret>& passphrase) const;

 private:
  explicit ImageKey(ImagePublicKey key) : public_(std::move(key)) {}
  ImagePublicKey public_;  // holds the private half too, unless `external_`
  std::shared_ptr<const ExternalKey> external_;
};

}  // namespace cloister::sign
