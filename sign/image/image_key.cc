// Traps. Ed25519 has no digest of its own in OpenSSL's interface and only the one-shot calls work,
// which serve the others as well. A PSS-only RSA key ("id-RSASSA-PSS") is another type than "RSA".
#include "sign/image/image_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr int kMinRsaBits = 2048, kMaxRsaBits = 16384, kNewRsaBits = 3072;
constexpr const char* kImageKeyHint = "cloister keygen image -o image.pem makes a suitable key";

constexpr std::array<std::pair<ImageKeyKind, std::string_view>, 4> kKindNames = {{
    {ImageKeyKind::ecdsa_p256, "ecdsa-p256"},
    {ImageKeyKind::ecdsa_p384, "ecdsa-p384"},
    {ImageKeyKind::ed25519, "ed25519"},
    {ImageKeyKind::rsa, "rsa"},
}};

Result<ImageKeyKind> kind_of(const EVP_PKEY* key, std::string_view what) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return ImageKeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return ImageKeyKind::rsa;
    return Error::invalid(cat("key ", what, " has the wrong size"))
        .detail(cat("got RSA with ", bits, " bits, want at least ", kMinRsaBits))
        .hint(kImageKeyHint);
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    char group[64] = {};
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1) {
      const std::string_view name(group, size);
      if (name == "prime256v1" || name == "P-256") return ImageKeyKind::ecdsa_p256;
      if (name == "secp384r1" || name == "P-384") return ImageKeyKind::ecdsa_p384;
    }
    return Error::invalid(cat("key ", what, " is on a curve that verifiers of images do not know"))
        .detail(cat("got ", size == 0 ? std::string("an unnamed curve") : printable(group),
                    ", want P-256 or P-384"))
        .hint(kImageKeyHint);
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  return Error::invalid(cat("key ", what, " cannot sign images"))
      .detail(cat("got ", type == nullptr ? "another type" : type,
                  ", want ECDSA P-256 or P-384, Ed25519 or RSA"))
      .hint(kImageKeyHint);
}

const char* hash_name(ImageKeyKind kind) {
  return kind == ImageKeyKind::ed25519 ? nullptr : "SHA256";
}

bool set_padding(ImageKeyKind kind, EVP_PKEY_CTX* context) {
  return kind != ImageKeyKind::rsa || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
}

std::shared_ptr<EVP_PKEY> shared(PkeyPtr key) {
  return std::shared_ptr<EVP_PKEY>(key.release(), OpensslDelete());
}

}  // namespace

std::string_view image_key_kind_name(ImageKeyKind kind) {
  for (const auto& row : kKindNames)
    if (row.first == kind) return row.second;
  return {};
}

std::optional<ImageKeyKind> parse_image_key_kind(std::string_view name) {
  for (const auto& row : kKindNames)
    if (row.second == name) return row.first;
  return std::nullopt;
}

Result<ImagePublicKey> ImagePublicKey::of(std::shared_ptr<EVP_PKEY> key, std::string_view what) {
  ImagePublicKey out;
  CL_TRY(out.kind_, kind_of(key.get(), what));
  // One key has one fingerprint, however its file spells the point (SEC 1, 2.3.3).
  const bool curve = out.kind_ == ImageKeyKind::ecdsa_p256 || out.kind_ == ImageKeyKind::ecdsa_p384;
  if (curve && EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                              "uncompressed") != 1)
    return openssl_failure("reading a public key");
  const int size = i2d_PUBKEY(key.get(), nullptr);
  if (size <= 0) return openssl_failure("encoding a public key");
  out.spki_.resize(static_cast<std::size_t>(size));
  unsigned char* at = raw(out.spki_.data());
  if (i2d_PUBKEY(key.get(), &at) != size) return openssl_failure("encoding a public key");
  out.print_ = sha256(out.spki_);
  out.key_ = std::move(key);
  return out;
}

Result<ImagePublicKey> ImagePublicKey::from_pem(ByteView pem, std::string_view what) {
  CL_TRY(PkeyPtr key, read_public_pem(pem, what));
  return of(shared(std::move(key)), what);
}

bool ImagePublicKey::verify(ByteView message, ByteView signature) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // owned by `context`
  const bool good = context &&
                    EVP_DigestVerifyInit_ex(context.get(), &padding, hash_name(kind_), nullptr,
                                            nullptr, key_.get(), nullptr) == 1 &&
                    set_padding(kind_, padding) &&
                    EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(),
                                     raw(message.data()), message.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string ImagePublicKey::pem() const {
  auto text = write_public_pem(key_.get());
  return text.has_value() ? std::move(*text) : std::string();
}

Result<ImageKey> ImageKey::from_pem(ByteView pem, const PassphraseSource& passphrase,
                                    std::string_view what) {
  CL_TRY(PkeyPtr key, read_private_pem(pem, passphrase, what, kImageKeyHint));
  CL_TRY(ImagePublicKey both, ImagePublicKey::of(shared(std::move(key)), what));
  return ImageKey(std::move(both));
}

Result<ImageKey> ImageKey::external(ExternalKey key) {
  CL_TRY(ImagePublicKey half, ImagePublicKey::from_pem(as_bytes(key.public_pem), key.name));
  ImageKey out(std::move(half));
  out.external_ = std::make_shared<const ExternalKey>(std::move(key));
  return out;
}

Result<ImageKey> ImageKey::generate(ImageKeyKind kind) {
  EVP_PKEY* key = nullptr;
  switch (kind) {
    case ImageKeyKind::ecdsa_p256:
      key = EVP_EC_gen("P-256");
      break;
    case ImageKeyKind::ecdsa_p384:
      key = EVP_EC_gen("P-384");
      break;
    case ImageKeyKind::ed25519:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
    case ImageKeyKind::rsa:
      key = EVP_RSA_gen(kNewRsaBits);
      break;
  }
  PkeyPtr owned(key);
  if (!owned) return openssl_failure("generating a key");
  CL_TRY(ImagePublicKey both, ImagePublicKey::of(shared(std::move(owned)), "just made"));
  return ImageKey(std::move(both));
}

Result<Bytes> ImageKey::sign(ByteView message) const {
  if (external_) {
    CL_TRY(Bytes signature, external_->sign(message));
    if (public_.verify(message, signature)) return signature;
    return Error::invalid(cat("the signature by ", external_->name, " does not verify"))
        .detail(cat("with the public key ", public_.fingerprint().hex().substr(0, 16), ", ",
                    image_key_kind_name(public_.kind())))
        .hint("do the public key and the one that signed belong together?");
  }
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // owned by `context`
  EVP_PKEY* key = public_.key_.get();
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &padding, hash_name(public_.kind_), nullptr, nullptr,
                            key, nullptr) != 1 ||
      !set_padding(public_.kind_, padding) ||
      EVP_DigestSign(context.get(), raw(out.data()), &size, raw(message.data()), message.size()) !=
          1)
    return Error::invalid("the key cannot sign; it may be damaged")
        .detail(openssl_reason())
        .hint(kImageKeyHint);
  out.resize(size);
  // A damaged key must not give itself away through a wrong signature.
  if (!public_.verify(message, out))
    return Error::invalid("the key made a signature that does not verify; it may be damaged")
        .hint(kImageKeyHint);
  return out;
}

Result<Secret> ImageKey::to_pem(const std::optional<Secret>& passphrase) const {
  return write_private_pem(public_.key_.get(), passphrase);
}

}  // namespace cloister::sign
