// Traps. Without a callback of ours OpenSSL would ask on the terminal; with one it may ask several
// times, so the answer is kept for the duration of the call. A wrong passphrase shows only as a
// parse error, told apart by whether the passphrase was asked for. OpenSSL's own PKCS#8 writer
// knows PBKDF2 only; scrypt needs the parts.
#include "sign/private_pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "sign/sigstore_key.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kMaxPem = static_cast<std::size_t>(1) << 24;  // bytes
constexpr std::size_t kMaxPublicPem = 1 << 20;                      // bytes
// scrypt as `openssl pkcs8 -scrypt` sets it: 16 MiB, within the limit that readers have.
constexpr std::uint64_t kScryptN = 16384, kScryptR = 8, kScryptP = 1;
constexpr int kSaltBytes = 16;

// What OpenSSL's passphrase callback is given.
struct Asking {
  const PassphraseSource& source;
  bool asked = false;
  std::optional<Secret> passphrase = std::nullopt;
  std::optional<Error> failure = std::nullopt;

  explicit Asking(const PassphraseSource& from) : source(from) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
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
  if (!asking.passphrase) return -1;
  const std::string_view text = asking.passphrase->text();
  if (text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), buffer);
  return static_cast<int>(text.size());
}

// REQUIRES: it was asked for a passphrase, in vain.
Error no_passphrase(Asking& asking, std::string_view what) {
  if (asking.failure) return std::move(*asking.failure);
  return Error::invalid(cat("key ", what, " is encrypted and no passphrase was given"))
      .hint("give --passphrase-file, or set CLOISTER_PASSWORD");
}

Error unreadable(Asking& asking, ByteView pem, std::string_view what, std::string_view hint) {
  if (asking.asked && !asking.passphrase) return no_passphrase(asking, what);
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
  return Error::invalid(cat("key ", what, " holds no private key in PEM form"))
      .hint(std::string(hint));
}

// A key that cosign wrote.
Result<PkeyPtr> read_sigstore_pem(ByteView pem, const PassphraseSource& passphrase,
                                  std::string_view what) {
  Asking asking(passphrase);
  asking.ask();
  if (!asking.passphrase) return no_passphrase(asking, what);
  CL_TRY(const Secret der, open_sigstore_key(pem, *asking.passphrase, what));
  const unsigned char* at = raw(der.bytes().data());
  PkeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.bytes().size())));
  ERR_clear_error();
  if (!key)
    return Error::invalid(cat("key ", what, " holds no private key in its encrypted part"))
        .hint("the file is damaged; fetch it anew");
  return key;
}

std::string_view view_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<std::size_t>(size)) : std::string_view();
}

Status write_encrypted(BIO* out, PKCS8_PRIV_KEY_INFO* plain, std::string_view passphrase) {
  CL_TRY(Bytes salt, random_bytes(kSaltBytes));
  OpensslPtr<X509_ALGOR> algorithm(PKCS5_pbe2_set_scrypt(
      EVP_aes_256_cbc(), raw(salt.data()), kSaltBytes, nullptr, kScryptN, kScryptR, kScryptP));
  if (!algorithm) return openssl_failure("preparing scrypt");
  const OpensslPtr<X509_SIG> encrypted(PKCS8_set0_pbe(
      passphrase.data(), static_cast<int>(passphrase.size()), plain, algorithm.get()));
  if (!encrypted) return openssl_failure("encrypting the key");
  (void)algorithm.release();  // owned by `encrypted` now
  if (PEM_write_bio_PKCS8(out, encrypted.get()) != 1) return openssl_failure("writing the key");
  return {};
}

}  // namespace

Error openssl_failure(std::string_view doing) {
  return Error::internal(cat("OpenSSL failed at ", doing)).detail(openssl_reason());
}

Result<PkeyPtr> read_private_pem(ByteView pem, const PassphraseSource& passphrase,
                                 std::string_view what, std::string_view hint) {
  if (pem.size() > kMaxPem)
    return Error::limit(cat("key ", what, " is too large to be a key")).hint(std::string(hint));
  ERR_clear_error();
  if (is_sigstore_key(pem)) return read_sigstore_pem(pem, passphrase, what);
  Asking asking(passphrase);
  if (pem.empty()) return unreadable(asking, pem, what, hint);
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_failure("reading memory");
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &asking));
  if (!key) return unreadable(asking, pem, what, hint);
  ERR_clear_error();  // what the decoders tried before one fitted
  return key;
}

Result<Secret> write_private_pem(EVP_PKEY* key, const std::optional<Secret>& passphrase) {
  if (passphrase && (passphrase->empty() || passphrase->text().size() > 1024))
    return Error::invalid("a passphrase has 1 to 1024 bytes").hint("choose another one");
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  const OpensslPtr<PKCS8_PRIV_KEY_INFO> plain(EVP_PKEY2PKCS8(key));
  if (!bio || !plain) return openssl_failure("encoding the key");
  if (passphrase)
    CL_CHECK(write_encrypted(bio.get(), plain.get(), passphrase->text()));
  else if (PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), plain.get()) != 1)
    return openssl_failure("writing the key");
  return Secret(view_of(bio.get()));
}

Result<PkeyPtr> read_public_pem(ByteView pem, std::string_view what) {
  const auto none = [&] {
    ERR_clear_error();
    const bool is_private = as_text(pem).find("PRIVATE KEY-----") != std::string_view::npos;
    return Error::invalid(cat("key ", what,
                              is_private ? " is a private key; verifying needs the "
                                           "public one"
                                         : " holds no public key in PEM form"))
        .hint("name the PEM file with BEGIN PUBLIC KEY in it");
  };
  if (pem.empty() || pem.size() > kMaxPublicPem) return none();
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_failure("reading memory");
  PkeyPtr key;
  if (as_text(pem).find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
    if (certificate != nullptr) key.reset(X509_get_pubkey(certificate));
    X509_free(certificate);
  } else {
    key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  }
  if (!key) return none();
  ERR_clear_error();
  return key;
}

Result<std::string> write_public_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key) != 1)
    return openssl_failure("writing the public key");
  return std::string(view_of(bio.get()));
}

}  // namespace cloister::sign
