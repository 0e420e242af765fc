#include "tests/sign/quote/ra_tls_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/digest.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

void require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL failed to make an RA-TLS certificate");
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key new_key() {
  Key out(EVP_EC_gen("P-384"), EVP_PKEY_free);
  require(out != nullptr);
  return out;
}

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  require(size > 0);
  const ByteView view = std::as_bytes(std::span(der, static_cast<std::size_t>(size)));
  Bytes out(view.begin(), view.end());
  OPENSSL_free(der);
  return out;
}

Bytes digest_of(std::uint64_t algorithm, ByteView bytes) {
  const char* name = algorithm == 1 ? "SHA256" : algorithm == 7 ? "SHA384" : "SHA512";
  Bytes out(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  require(EVP_Q_digest(nullptr, name, nullptr, raw(bytes.data()), bytes.size(), raw(out.data()),
                       &size) == 1);
  out.resize(size);
  return out;
}

ReportData report_data_of(ByteView bytes) {
  ReportData out{};
  const Digest digest = sha256(bytes);
  std::copy(digest.bytes.begin(), digest.bytes.end(), out.begin());
  return out;
}

// The content octets of the object identifiers, since the older one cannot be written with dots.
constexpr std::uint8_t kDice[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
constexpr std::uint8_t kOlder[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                   0xf8, 0x4d, 0x8a, 0x39, 0x06};

void add_evidence(X509* to, std::span<const std::uint8_t> oid, const Bytes& value) {
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  require(ASN1_OCTET_STRING_set(octets, raw(value.data()), static_cast<int>(value.size())) == 1);
  std::vector<std::uint8_t> der = {6, static_cast<std::uint8_t>(oid.size())};
  der.insert(der.end(), oid.begin(), oid.end());
  const unsigned char* at = der.data();
  ASN1_OBJECT* object = d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(der.size()));
  require(object != nullptr);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 0, octets);
  require(X509_add_ext(to, extension, -1) == 1);
  X509_EXTENSION_free(extension);
  ASN1_OBJECT_free(object);
  ASN1_OCTET_STRING_free(octets);
}

Bytes claims_of(const RaTlsOptions& options, ByteView spki) {
  if (options.claims) return *options.claims;
  const Bytes hash = cbor_array(
      {cbor_head(0, options.hash_algorithm), cbor_bytes(digest_of(options.hash_algorithm, spki))});
  std::vector<std::pair<Bytes, Bytes>> pairs = {{cbor_text("pubkey-hash"), cbor_bytes(hash)}};
  if (options.nonce) pairs.emplace_back(cbor_text("nonce"), cbor_bytes(*options.nonce));
  return cbor_map(pairs);
}

void add_all_evidence(X509* to, const RaTlsOptions& options, ByteView spki) {
  const RaTlsForms forms = options.forms;
  if (forms == RaTlsForms::standard || forms == RaTlsForms::both) {
    const Bytes claims = claims_of(options, spki);
    add_evidence(to, kDice,
                 options.evidence ? *options.evidence
                                  : cbor_evidence(options.quote(report_data_of(claims)), claims));
  }
  if (forms == RaTlsForms::older || forms == RaTlsForms::both)
    add_evidence(to, kOlder, options.quote(report_data_of(spki)));
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

Bytes cbor_head(unsigned major, std::uint64_t number) {
  ByteWriter out;
  const auto first = static_cast<std::uint8_t>(major << 5);
  const unsigned bytes = number < 24            ? 0
                         : number < 0x100       ? 1
                         : number < 0x10000     ? 2
                         : number < 0x100000000 ? 4
                                                : 8;
  const std::uint8_t info = bytes == 0   ? static_cast<std::uint8_t>(number)
                            : bytes == 1 ? 24
                            : bytes == 2 ? 25
                            : bytes == 4 ? 26
                                         : 27;
  out.u8(first | info);
  for (unsigned i = bytes; i-- > 0;) out.u8(static_cast<std::uint8_t>(number >> (8 * i)));
  return out.take();
}

Bytes cbor_bytes(ByteView bytes) {
  Bytes out = cbor_head(2, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

Bytes cbor_text(std::string_view text) {
  Bytes out = cbor_head(3, text.size());
  const ByteView bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

Bytes cbor_array(const std::vector<Bytes>& items) {
  Bytes out = cbor_head(4, items.size());
  for (const Bytes& item : items) out.insert(out.end(), item.begin(), item.end());
  return out;
}

Bytes cbor_map(const std::vector<std::pair<Bytes, Bytes>>& pairs) {
  Bytes out = cbor_head(5, pairs.size());
  for (const auto& pair : pairs) {
    out.insert(out.end(), pair.first.begin(), pair.first.end());
    out.insert(out.end(), pair.second.begin(), pair.second.end());
  }
  return out;
}

Bytes cbor_evidence(ByteView quote, ByteView claims) {
  Bytes out = cbor_head(6, 60000);
  const Bytes pair = cbor_array({cbor_bytes(quote), cbor_bytes(claims)});
  out.insert(out.end(), pair.begin(), pair.end());
  return out;
}

RaTlsCertificate make_ra_tls_certificate(const RaTlsOptions& options) {
  const Key key = new_key(), other = new_key();
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  require(X509_set_version(x509.get(), X509_VERSION_3) == 1);
  require(ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1) == 1);
  X509_NAME* name = X509_get_subject_name(x509.get());
  const ByteView common_name = as_bytes("RATLS");
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, raw(common_name.data()),
                                     static_cast<int>(common_name.size()), -1, 0) == 1);
  require(X509_set_issuer_name(x509.get(), name) == 1);
  // As Gramine writes them: dates that say nothing.
  require(ASN1_TIME_set_string_X509(X509_getm_notBefore(x509.get()), "20010101000000Z") == 1);
  require(ASN1_TIME_set_string_X509(X509_getm_notAfter(x509.get()), "20301231235959Z") == 1);
  require(X509_set_pubkey(x509.get(), key.get()) == 1);
  add_all_evidence(x509.get(), options, spki_of(options.of_another_key ? other.get() : key.get()));
  require(X509_sign(x509.get(), key.get(), EVP_sha256()) > 0);

  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new(BIO_s_mem()), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_pem(BIO_new(BIO_s_mem()), BIO_free);
  require(PEM_write_bio_X509(pem.get(), x509.get()) == 1);
  require(PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
  RaTlsCertificate out;
  out.certificate_pem = text_of(pem.get());
  out.key_pem = text_of(key_pem.get());
  auto parsed = Certificate::parse_pem(out.certificate_pem, Limits());
  require(parsed.has_value());
  out.certificate = parsed->at(0);
  return out;
}

Certificate certificate_with_evidence(const Bytes& evidence) {
  RaTlsOptions options;
  options.forms = RaTlsForms::standard;
  options.evidence = evidence;
  return make_ra_tls_certificate(options).certificate;
}

}  // namespace cloister::sign
