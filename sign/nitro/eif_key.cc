// Traps. OpenSSL and whatever signs outside answer ECDSA signatures in DER, COSE has r and s of
// fixed size. Which certificate of a PEM text counts, and what of it is hashed into PCR8, is what
// AWS's tools make of it (OpenSSL's PEM_read_bio_X509 and i2d_X509): a certificate that would be
// encoded otherwise than it lies there has two digests, and is refused.
#include "sign/nitro/eif_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "sign/ecdsa.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr const char* kEifKeyHint =
    "openssl ecparam -name secp384r1 -genkey and openssl req -x509 make a key and its certificate";
constexpr std::size_t kMaxCertificatePem = 1 << 20;  // bytes

int never_a_pass_phrase(char* /*to*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

// OpenSSL's first certificate in PEM text, as DER; empty: there is none.
Bytes first_certificate(ByteView pem) {
  if (pem.empty() || pem.size() > kMaxCertificatePem) return {};
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  unsigned char* der = nullptr;
  long size = 0;
  const bool found = bio && PEM_bytes_read_bio(&der, &size, nullptr, PEM_STRING_X509, bio.get(),
                                               never_a_pass_phrase, nullptr) == 1;
  Bytes out;
  if (found) {
    const auto bytes = std::as_bytes(std::span(der, static_cast<std::size_t>(size)));
    out.assign(bytes.begin(), bytes.end());
  }
  OPENSSL_free(der);
  openssl_reason();  // empties the queue
  return out;
}

// Whether OpenSSL would encode it as it is.
bool is_canonical(const Bytes& der) {
  const unsigned char* at = raw(der.data());
  X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  unsigned char* again = nullptr;
  const int size = x509 == nullptr ? -1 : i2d_X509(x509, &again);
  X509_free(x509);
  bool same = false;
  if (size > 0) {
    const auto bytes = std::as_bytes(std::span(again, static_cast<std::size_t>(size)));
    same = std::equal(bytes.begin(), bytes.end(), der.begin(), der.end());
  }
  OPENSSL_free(again);
  openssl_reason();
  return same;
}

}  // namespace

Result<Certificate> read_eif_certificate(ByteView pem, std::string_view what) {
  const Bytes der = first_certificate(pem);
  if (der.empty())
    return Error::invalid(cat(what, " holds no certificate in PEM form")).hint(kEifKeyHint);
  auto certificate = Certificate::parse_der(der);
  if (!certificate.has_value())
    return Error::invalid(cat("the certificate ", what, " cannot be read"))
        .detail(certificate.error().what())
        .hint(kEifKeyHint);
  if (!is_canonical(der))
    return Error::invalid(cat("the certificate ", what, " is not encoded as DER demands"))
        .hint(kEifKeyHint);
  if (!cose_algorithm_of(*certificate))
    return Error::invalid(
               cat("the certificate ", what, " is for a key that signs no enclave image"))
        .detail("want ECDSA on P-256, P-384 or P-521")
        .hint(kEifKeyHint);
  return certificate;
}

CoseAlgorithm eif_algorithm_of(const Certificate& certificate) {
  return cose_algorithm_of(certificate).value_or(CoseAlgorithm::es384);
}

Result<EifKey> EifKey::of(PkeyPtr key, std::string_view what, Certificate certificate) {
  const auto algorithm = cose_algorithm_of(certificate);
  const unsigned char* at = raw(certificate.spki().data());
  const PkeyPtr certified(d2i_PUBKEY(nullptr, &at, static_cast<long>(certificate.spki().size())));
  const bool same = certified && EVP_PKEY_eq(key.get(), certified.get()) == 1;
  openssl_reason();
  if (!algorithm || !same)
    return Error::invalid(cat("key ", what, " is not the one of the certificate"))
        .hint("give the private key that the certificate was made for");
  EifKey out(std::move(certificate), *algorithm);
  out.key_ = std::shared_ptr<EVP_PKEY>(key.release(), OpensslDelete());
  return out;
}

Result<EifKey> EifKey::from_pem(ByteView pem, const PassphraseSource& passphrase,
                                std::string_view what, Certificate certificate) {
  CL_TRY(PkeyPtr key, read_private_pem(pem, passphrase, what, kEifKeyHint));
  return of(std::move(key), what, std::move(certificate));
}

Result<EifKey> EifKey::external(ExternalKey key, Certificate certificate) {
  CL_TRY(PkeyPtr half, read_public_pem(as_bytes(key.public_pem), key.name));
  CL_TRY(EifKey out, of(std::move(half), key.name, std::move(certificate)));
  out.external_ = std::make_shared<const ExternalKey>(std::move(key));
  return out;
}

Result<Bytes> EifKey::sign_here(ByteView message) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, cose_hash(algorithm_), nullptr, nullptr,
                            key_.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), raw(out.data()), &size, raw(message.data()), message.size()) !=
          1)
    return Error::invalid("the key cannot sign; it may be damaged")
        .detail(openssl_reason())
        .hint(kEifKeyHint);
  out.resize(size);
  return out;
}

Result<Bytes> EifKey::sign(ByteView message) const {
  CL_TRY(const Bytes der, external_ ? external_->sign(message) : sign_here(message));
  const auto signature = ecdsa_pair(der, cose_signature_size(algorithm_) / 2);
  if (signature && certificate_.verify_ecdsa(message, *signature, cose_hash(algorithm_)))
    return *signature;
  if (!external_)
    return Error::invalid("the key made a signature that does not verify; it may be damaged")
        .hint(kEifKeyHint);
  return Error::invalid(cat("the signature by ", external_->name, " does not verify"))
      .detail(cat("want ECDSA with ", cose_hash(algorithm_), ", in DER, by the certificate's key"))
      .hint("do the certificate and the key that signed belong together?");
}

}  // namespace cloister::sign
