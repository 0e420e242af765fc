// SGX accepts exactly one kind of key: RSA with 3072 bits and public exponent 3 (Intel SDM vol. 3D,
// 37.14). Keys come as PEM: PKCS#1 as Gramine writes it, or PKCS#8, either one possibly encrypted.
//
// Traps. Without a callback of ours OpenSSL would ask on the terminal; with one it may ask several
// times, so the answer is kept for the duration of the call. A wrong passphrase shows only as a
// parse error, told apart by whether the passphrase was asked for. OpenSSL's own PKCS#8 writer
// knows PBKDF2 only; scrypt needs the parts.
#include "sign/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/digest.h"
#include "base/text.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr int kBits = 3072;
constexpr std::size_t kBytes = kBits / 8;
constexpr BN_ULONG kExponent = 3;
// scrypt as `openssl pkcs8 -scrypt` sets it: 16 MiB, within the limit that readers have.
constexpr std::uint64_t kScryptN = 16384, kScryptR = 8, kScryptP = 1;
constexpr int kSaltBytes = 16;

constexpr const char* kKeyHint = "cloister keygen sgx -o enclave.pem makes a suitable key";

// What OpenSSL's passphrase callback is given.
struct Asking {
  const PassphraseSource& source;
  bool asked = false;
  std::optional<std::string> passphrase = std::nullopt;
  std::optional<Error> failure = std::nullopt;

  explicit Asking(const PassphraseSource& from) : source(from) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    if (passphrase) OPENSSL_cleanse(passphrase->data(), passphrase->size());
  }
  void ask() {
    asked = true;
    if (!source) return;
    auto answer = source();
    if (answer.has_value())
      passphrase = std::move(*answer);
    else
      failure = std::move(answer).error();
  }
};

int give_passphrase(char* buffer, int size, int /*writing*/, void* context) {
  auto& asking = *static_cast<Asking*>(context);
  if (!asking.asked) asking.ask();
  if (!asking.passphrase || asking.passphrase->size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, asking.passphrase->data(), asking.passphrase->size());
  return static_cast<int>(asking.passphrase->size());
}

Error unreadable(Asking& asking, ByteView pem, std::string_view what) {
  if (asking.failure) return std::move(*asking.failure);
  if (asking.asked && !asking.passphrase)
    return Error::invalid(cat("key ", what, " is encrypted and no passphrase was given"))
        .hint("give --passphrase-file, or set CLOISTER_PASSWORD");
  const std::string reason = openssl_reason();
  if (asking.asked)
    return Error::invalid(cat("key ", what, " cannot be decrypted: wrong passphrase"))
        .detail(cat("OpenSSL says: ", reason.empty() ? std::string("bad decrypt") : reason))
        .hint("give the passphrase that the key was written with");
  const std::string_view text = as_text(pem);
  if (text.find("-----BEGIN PUBLIC KEY-----") != std::string_view::npos ||
      text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos)
    return Error::invalid(cat("key ", what, " is a public key; signing needs the private one"))
        .hint("name the PEM file with BEGIN PRIVATE KEY in it");
  return Error::invalid(cat("key ", what, " holds no private key in PEM form")).hint(kKeyHint);
}

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

Error internal(std::string_view doing) {
  return Error::internal(cat("OpenSSL failed at ", doing)).detail(openssl_reason());
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Status write_encrypted(BIO* out, PKCS8_PRIV_KEY_INFO* plain, const std::string& passphrase) {
  CL_TRY(Bytes salt, random_bytes(kSaltBytes));
  // static_cast through void: std::byte and unsigned char may alias, the types differ.
  auto* salt_bytes = static_cast<unsigned char*>(static_cast<void*>(salt.data()));
  OpensslPtr<X509_ALGOR> algorithm(PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt_bytes, kSaltBytes,
                                                         nullptr, kScryptN, kScryptR, kScryptP));
  if (!algorithm) return internal("preparing scrypt");
  const OpensslPtr<X509_SIG> encrypted(PKCS8_set0_pbe(
      passphrase.data(), static_cast<int>(passphrase.size()), plain, algorithm.get()));
  if (!encrypted) return internal("encrypting the key");
  (void)algorithm.release();  // owned by `encrypted` now
  if (PEM_write_bio_PKCS8(out, encrypted.get()) != 1) return internal("writing the key");
  return {};
}

}  // namespace

struct SgxKey::Impl {
  PkeyPtr key;
};

SgxKey::SgxKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SgxKey::SgxKey(SgxKey&&) noexcept = default;
SgxKey& SgxKey::operator=(SgxKey&&) noexcept = default;
SgxKey::~SgxKey() = default;

Result<SgxKey> SgxKey::from_pem(ByteView pem, const PassphraseSource& passphrase,
                                std::string_view what) {
  if (pem.size() > static_cast<std::size_t>(1) << 24)
    return Error::limit(cat("key ", what, " is too large to be a key")).hint(kKeyHint);
  ERR_clear_error();
  Asking asking(passphrase);
  if (pem.empty()) return unreadable(asking, pem, what);
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return internal("reading memory");
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &asking));
  if (!key) return unreadable(asking, pem, what);
  ERR_clear_error();  // what the decoders tried before one fitted
  CL_CHECK(check_kind(key.get(), what));
  return SgxKey(std::make_unique<Impl>(Impl{std::move(key)}));
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
    return internal("generating a key");
  PkeyPtr owned(key);
  CL_CHECK(check_kind(owned.get(), "just made"));
  return SgxKey(std::make_unique<Impl>(Impl{std::move(owned)}));
}

Bytes SgxKey::modulus_le() const {
  Bytes out(kBytes);
  const BnPtr modulus = parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_N);
  // check_kind has seen 3072 bits: it fits, and nothing here can fail but memory.
  if (!modulus ||
      BN_bn2lebinpad(modulus.get(), static_cast<unsigned char*>(static_cast<void*>(out.data())),
                     kBytes) != static_cast<int>(kBytes))
    std::abort();
  return out;
}

Result<Bytes> SgxKey::sign(ByteView data) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* rsa = nullptr;  // owned by `context`
  Bytes out(kBytes);
  std::size_t size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &rsa, "SHA256", nullptr, nullptr, impl_->key.get(),
                            nullptr) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) != 1 ||
      EVP_DigestSign(context.get(), static_cast<unsigned char*>(static_cast<void*>(out.data())),
                     &size,
                     static_cast<const unsigned char*>(static_cast<const void*>(data.data())),
                     data.size()) != 1 ||
      size != out.size())
    return Error::invalid("the key cannot sign; it may be damaged")
        .detail(openssl_reason())
        .hint(kKeyHint);
  return out;
}

Result<std::string> SgxKey::to_pem(const std::optional<std::string>& passphrase) const {
  if (passphrase && (passphrase->empty() || passphrase->size() > 1024))
    return Error::invalid("a passphrase has 1 to 1024 bytes").hint("choose another one");
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  const OpensslPtr<PKCS8_PRIV_KEY_INFO> plain(EVP_PKEY2PKCS8(impl_->key.get()));
  if (!bio || !plain) return internal("encoding the key");
  if (passphrase)
    CL_CHECK(write_encrypted(bio.get(), plain.get(), *passphrase));
  else if (PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), plain.get()) != 1)
    return internal("writing the key");
  return text_of(bio.get());
}

Result<std::string> SgxKey::public_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) != 1)
    return internal("writing the public key");
  return text_of(bio.get());
}

}  // namespace cloister::sign
