// SGX accepts exactly one kind of key: RSA with 3072 bits and public exponent 3 (Intel SDM vol. 3D,
// 37.14). Keys come as PEM: PKCS#1 as Gramine writes it, or PKCS#8, either one possibly encrypted.
#include "sign/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>

#include "base/text.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr int kBits = 3072;
constexpr std::size_t kBytes = kBits / 8;
constexpr BN_ULONG kExponent = 3;

constexpr const char* kKeyHint = "cloister keygen sgx -o enclave.pem makes a suitable key";

BnPtr parameter(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return nullptr;
  return BnPtr(value);
}

Status check_kind(const EVP_PKEY* key, std::string_view what) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) {
    const char* type = EVP_PKEY_get0_type_name(key);
    return Error::invalid(cat("key ", what, " is not an RSA key"))
        .detail(cat("got ", type == nullptr ? "another type" : type,
                    ", want RSA of 3072 bits with "
                    "public exponent 3"))
        .hint(kKeyHint);
  }
  if (EVP_PKEY_get_bits(key) != kBits)
    return Error::invalid(cat("key ", what, " has the wrong size for SGX"))
        .detail(cat("got ", EVP_PKEY_get_bits(key), " bits, want ", kBits))
        .hint(kKeyHint);
  const BnPtr exponent = parameter(key, OSSL_PKEY_PARAM_RSA_E);
  if (!exponent || BN_is_word(exponent.get(), kExponent) != 1) {
    std::string got = "another";
    if (exponent && BN_num_bits(exponent.get()) <= 64)
      got = cat(static_cast<std::uint64_t>(BN_get_word(exponent.get())));
    return Error::invalid(cat("key ", what, " has the wrong public exponent for SGX"))
        .detail(cat("got ", got, ", want 3"))
        .hint(kKeyHint);
  }
  return {};
}

}  // namespace

struct SgxKey::Impl {
  PkeyPtr key;  // of an external one the public half
  std::optional<ExternalKey> external;

  Result<Bytes> sign_here(ByteView data) const;
  bool verifies(ByteView data, ByteView signature) const;
};

Result<Bytes> SgxKey::Impl::sign_here(ByteView data) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* rsa = nullptr;  // owned by `context`
  Bytes out(kBytes);
  std::size_t size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &rsa, "SHA256", nullptr, nullptr, key.get(), nullptr) !=
          1 ||
      EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) != 1 ||
      EVP_DigestSign(context.get(), raw(out.data()), &size, raw(data.data()), data.size()) != 1 ||
      size != out.size())
    return Error::invalid("the key cannot sign; it may be damaged")
        .detail(openssl_reason())
        .hint(kKeyHint);
  return out;
}

bool SgxKey::Impl::verifies(ByteView data, ByteView signature) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* rsa = nullptr;  // owned by `context`
  const bool good = context &&
                    EVP_DigestVerifyInit_ex(context.get(), &rsa, "SHA256", nullptr, nullptr,
                                            key.get(), nullptr) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
                    EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(),
                                     raw(data.data()), data.size()) == 1;
  ERR_clear_error();
  return good;
}

SgxKey::SgxKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SgxKey::SgxKey(SgxKey&&) noexcept = default;
SgxKey& SgxKey::operator=(SgxKey&&) noexcept = default;
SgxKey::~SgxKey() = default;

Result<SgxKey> SgxKey::from_pem(ByteView pem, const PassphraseSource& passphrase,
                                std::string_view what) {
  CL_TRY(PkeyPtr key, read_private_pem(pem, passphrase, what, kKeyHint));
  CL_CHECK(check_kind(key.get(), what));
  return SgxKey(std::make_unique<Impl>(Impl{std::move(key), std::nullopt}));
}

Result<SgxKey> SgxKey::external(ExternalKey key) {
  CL_TRY(PkeyPtr half, read_public_pem(as_bytes(key.public_pem), key.name));
  CL_CHECK(check_kind(half.get(), key.name));
  return SgxKey(std::make_unique<Impl>(Impl{std::move(half), std::move(key)}));
}

Result<SgxKey> SgxKey::generate() {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const BnPtr exponent(BN_new());
  EVP_PKEY* key = nullptr;
  if (!context || !exponent || BN_set_word(exponent.get(), kExponent) != 1 ||
      EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), kBits) != 1 ||
      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1)
    return openssl_failure("generating a key");
  PkeyPtr owned(key);
  CL_CHECK(check_kind(owned.get(), "just made"));
  return SgxKey(std::make_unique<Impl>(Impl{std::move(owned), std::nullopt}));
}

Bytes SgxKey::modulus_le() const {
  Bytes out(kBytes);
  const BnPtr modulus = parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_N);
  // check_kind has seen 3072 bits: it fits, and nothing here can fail but memory.
  if (!modulus ||
      BN_bn2lebinpad(modulus.get(), raw(out.data()), kBytes) != static_cast<int>(kBytes))
    std::abort();
  return out;
}

Result<Bytes> SgxKey::sign(ByteView data) const {
  if (!impl_->external) {
    CL_TRY(Bytes signature, impl_->sign_here(data));
    if (impl_->verifies(data, signature)) return signature;
    return Error::invalid("the key signs wrongly; its parts do not belong together").hint(kKeyHint);
  }
  CL_TRY(Bytes signature, impl_->external->sign(data));
  if (impl_->verifies(data, signature)) return signature;
  return Error::invalid(cat("the signature by ", impl_->external->name, " does not verify"))
      .detail(cat("with the public key ", fingerprint().hex().substr(0, 16), ", over the ",
                  data.size(), " bytes that SGX signs"))
      .hint(
          "do the public key and the one that signed belong together, and is it over what this "
          "enclave's --emit-signing-data gives?");
}

Result<Secret> SgxKey::to_pem(const std::optional<Secret>& passphrase) const {
  return write_private_pem(impl_->key.get(), passphrase);
}

Result<std::string> SgxKey::public_pem() const {
  return write_public_pem(impl_->key.get());
}

Digest SgxKey::fingerprint() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(impl_->key.get(), &der);
  if (size <= 0) std::abort();  // of a key that was read or made: nothing but memory can fail
  const Digest out = sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return out;
}

}  // namespace cloister::sign
