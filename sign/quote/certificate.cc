// OpenSSL reads and verifies; what is kept of it are values, so that nobody else meets its types.
#include "sign/quote/certificate.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "sign/ecdsa.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

// What an i2d function of OpenSSL writes.
template <class T, class Encode>
Bytes der_of(const T* object, Encode encode) {
  const int size = encode(object, nullptr);
  Bytes out(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* to = raw(out.data());
  if (size > 0) encode(object, &to);
  return out;
}

std::optional<Seconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

std::string common_name_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "";
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return "";
  std::string out(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));  // NOLINT
  OPENSSL_free(utf8);
  return out;
}

Bytes magnitude_of(const ASN1_INTEGER* number) {
  const BnPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  if (!value) return {};
  Bytes out(static_cast<std::size_t>(BN_num_bytes(value.get())));
  BN_bn2bin(value.get(), raw(out.data()));
  return out;
}

// Whether a key is of a kind that manufacturers certify with. Others are not tried: they cost
// whoever verifies more than whoever made them, and a curve that is written out may be one on which
// anybody can sign (RFC 5480, 2.1.1 forbids it).
bool is_usual_key(EVP_PKEY* key) {
  constexpr int kMaxRsaBits = 4096;
  if (key == nullptr) return false;
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS)
    return EVP_PKEY_get_bits(key) <= kMaxRsaBits;
  if (kind != EVP_PKEY_EC) return false;
  int written_out = 0;
  char curve[64];
  return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                &written_out) == 1 &&
         written_out == 0 && EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr) == 1;
}

// PEM may be encrypted, even that of a certificate; without this OpenSSL asks whoever sits at the
// terminal for the pass phrase of a stranger.
int no_pass_phrase(char* /*to*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

// Whether a list is of all that its issuer has revoked (RFC 5280, 5.2): no delta, and nothing
// critical in it. What may be critical there limits it to some certificates or reasons, or names
// those of other issuers, and nobody who certifies processors uses it.
bool is_complete_list(X509_CRL* crl) {
  if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0) return false;
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i)
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)) != 0) return false;
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  const int count = revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* one = sk_X509_REVOKED_value(revoked, i);
    for (int j = 0; j < X509_REVOKED_get_ext_count(one); ++j)
      if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(one, j)) != 0) return false;
  }
  return true;
}

}  // namespace

Result<Certificate> Certificate::parse_der(ByteView der) {
  const unsigned char* at = raw(der.data());
  Certificate out;
  out.x509_ = {d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
  openssl_reason();
  if (!out.x509_) return Error::corrupt("not an X.509 certificate");
  if (at != raw(der.data()) + der.size())
    return Error::corrupt("an X.509 certificate with bytes after its end");
  X509* x509 = out.x509_.get();
  auto facts = std::make_shared<Facts>();
  facts->der.assign(der.begin(), der.end());
  facts->spki = der_of(X509_get_X509_PUBKEY(x509), i2d_X509_PUBKEY);
  facts->subject = der_of(X509_get_subject_name(x509), i2d_X509_NAME);
  facts->issuer = der_of(X509_get_issuer_name(x509), i2d_X509_NAME);
  facts->serial = magnitude_of(X509_get0_serialNumber(x509));
  facts->common_name = common_name_of(X509_get_subject_name(x509));
  const auto from = seconds_of(X509_get0_notBefore(x509));
  const auto to = seconds_of(X509_get0_notAfter(x509));
  if (!from || !to) return Error::corrupt("an X.509 certificate without a readable validity");
  facts->not_before = *from;
  facts->not_after = *to;
  facts->may_issue =
      X509_check_ca(x509) == 1 && (X509_get_key_usage(x509) & X509v3_KU_KEY_CERT_SIGN) != 0;
  openssl_reason();
  out.facts_ = std::move(facts);
  return out;
}

Result<std::vector<Certificate>> Certificate::parse_pem(std::string_view pem,
                                                        const Limits& limits) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<Certificate> out;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at)) {
    const std::size_t end = pem.find(kEnd, at);
    if (end == std::string_view::npos)
      return Error::corrupt("PEM text with a certificate cut short");
    if (out.size() >= limits.certificates)
      return Error::limit(cat("more than ", limits.certificates, " certificates"));
    const std::string_view one = pem.substr(at, end + kEnd.size() - at);
    const BioPtr bio(BIO_new_mem_buf(one.data(), static_cast<int>(one.size())));
    unsigned char* der = nullptr;
    long size = 0;
    const bool read = PEM_bytes_read_bio(&der, &size, nullptr, PEM_STRING_X509, bio.get(),
                                         no_pass_phrase, nullptr) == 1;
    openssl_reason();
    if (!read) return Error::corrupt("PEM text with a certificate that cannot be decoded");
    auto certificate = parse_der(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    if (!certificate.has_value()) return std::move(certificate).error();
    out.push_back(std::move(*certificate));
    at = end;
  }
  if (out.empty()) return Error::corrupt("no certificate in PEM text");
  return out;
}

std::optional<Bytes> Certificate::extension(ByteView oid) const {
  std::optional<Bytes> out;
  const int count = X509_get_ext_count(x509_.get());
  for (int i = 0; i < count; ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509_.get(), i);
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
    const auto name = std::as_bytes(std::span(OBJ_get0_data(object), OBJ_length(object)));
    if (!std::equal(name.begin(), name.end(), oid.begin(), oid.end())) continue;
    if (out) return std::nullopt;
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    const auto bytes = std::as_bytes(std::span(
        ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))));
    out.emplace(bytes.begin(), bytes.end());
  }
  return out;
}

bool Certificate::is_signed_by(const Certificate& issuer) const {
  EVP_PKEY* key = X509_get0_pubkey(issuer.x509_.get());
  const bool good = this->issuer() == issuer.subject() && issuer.may_issue() && is_usual_key(key) &&
                    X509_verify(x509_.get(), key) == 1;
  openssl_reason();
  return good;
}

bool Certificate::verify_ecdsa(ByteView message, ByteView signature, const char* digest) const {
  EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  return is_usual_key(key) && verify_ecdsa_pair(key, message, signature, digest);
}

Result<RevocationList> RevocationList::parse_der(ByteView der) {
  const unsigned char* at = raw(der.data());
  RevocationList out;
  out.crl_ = {d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())), X509_CRL_free};
  openssl_reason();
  if (!out.crl_ || at != raw(der.data()) + der.size())
    return Error::corrupt("not an X.509 certificate revocation list");
  X509_CRL* crl = out.crl_.get();
  out.issuer_ = der_of(X509_CRL_get_issuer(crl), i2d_X509_NAME);
  const auto from = seconds_of(X509_CRL_get0_lastUpdate(crl));
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  if (next != nullptr) out.next_update_ = seconds_of(next);
  if (!from || (next != nullptr && !out.next_update_))
    return Error::corrupt("a certificate revocation list without readable dates");
  out.this_update_ = *from;
  out.complete_ = is_complete_list(crl);
  return out;
}

bool RevocationList::is_signed_by(const Certificate& issuer) const {
  if (issuer_ != issuer.subject()) return false;
  const unsigned char* at = raw(issuer.spki().data());
  const PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(issuer.spki().size())));
  const bool good = is_usual_key(key.get()) && X509_CRL_verify(crl_.get(), key.get()) == 1;
  openssl_reason();
  return good;
}

bool RevocationList::revokes(const Certificate& certificate) const {
  if (certificate.issuer() != issuer_) return false;
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl_.get());
  const int count = revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* one = sk_X509_REVOKED_value(revoked, i);
    if (magnitude_of(X509_REVOKED_get0_serialNumber(one)) == certificate.serial()) return true;
  }
  return false;
}

std::optional<std::vector<Certificate>> chain_of(const Certificate& leaf,
                                                 const std::vector<Certificate>& candidates,
                                                 const Limits& limits) {
  std::vector<Certificate> chain{leaf};
  while (!chain.back().is_self_issued()) {
    if (chain.size() >= limits.certificates) return std::nullopt;
    const auto issuer = std::find_if(candidates.begin(), candidates.end(),
                                     [&](const auto& c) { return chain.back().is_signed_by(c); });
    if (issuer == candidates.end()) return std::nullopt;
    chain.push_back(*issuer);
  }
  if (!chain.back().is_signed_by(chain.back())) return std::nullopt;
  return chain;
}

bool verify_p256(ByteView public_point, ByteView message, ByteView signature) {
  const PkeyPtr key = ec_public_key("P-256", public_point);
  return key && verify_ecdsa_pair(key.get(), message, signature, "SHA256");
}

}  // namespace cloister::sign
