#include "tests/sign/nitro/nitro_pki.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "base/text.h"
#include "sign/ecdsa.h"
#include "sign/openssl.h"
#include "sign/quote/cbor.h"

namespace cloister::sign {
namespace {

// Failures here are the test's own: they end it.
void need(bool good) {
  if (!good) throw std::runtime_error("OpenSSL failed in the tests' Nitro hierarchy");
}

using Key = std::shared_ptr<EVP_PKEY>;
Key new_key() {
  Key out(EVP_EC_gen("P-384"), EVP_PKEY_free);
  need(out != nullptr);
  return out;
}
const Key& root_key() {
  static const Key key = new_key();
  return key;
}
const Key& zone_key() {
  static const Key key = new_key();
  return key;
}
const Key& enclave_key() {
  static const Key key = new_key();
  return key;
}

struct Names {
  std::string subject, issuer;
};

Certificate certify(const Names& names, const Key& key, const Key& issuer, bool authority,
                    Seconds from, Seconds to) {
  const std::unique_ptr<X509, decltype(&X509_free)> out(X509_new(), X509_free);
  need(X509_set_version(out.get(), X509_VERSION_3) == 1);
  need(ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), 7) == 1);
  const auto name = [](X509_NAME* entry, const std::string& text) {
    need(X509_NAME_add_entry_by_txt(entry, "CN", MBSTRING_ASC, raw(as_bytes(text).data()),
                                    static_cast<int>(text.size()), -1, 0) == 1);
  };
  name(X509_get_subject_name(out.get()), names.subject);
  name(X509_get_issuer_name(out.get()), names.issuer);
  need(ASN1_TIME_set(X509_getm_notBefore(out.get()), from.time_since_epoch().count()) != nullptr);
  need(ASN1_TIME_set(X509_getm_notAfter(out.get()), to.time_since_epoch().count()) != nullptr);
  need(X509_set_pubkey(out.get(), key.get()) == 1);
  const auto extension = [&](int nid, const char* value) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    need(made != nullptr && X509_add_ext(out.get(), made, -1) == 1);
    X509_EXTENSION_free(made);
  };
  extension(NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extension(NID_key_usage, authority ? "critical,keyCertSign" : "digitalSignature");
  need(X509_sign(out.get(), issuer.get(), EVP_sha384()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(out.get(), &der);
  need(size > 0);
  auto parsed =
      Certificate::parse_der(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  need(parsed.has_value());
  return *parsed;
}

constexpr Seconds kLongAgo{std::chrono::seconds(1'600'000'000)};
constexpr Seconds kFarAway{std::chrono::seconds(2'200'000'000)};

const Certificate& zone() {
  static const Certificate out =
      certify({"zone.test", "root.test"}, zone_key(), root_key(), true, kLongAgo, kFarAway);
  return out;
}

void optional_bytes(CborWriter& out, const std::optional<Bytes>& bytes, Bytes& all) {
  if (bytes) {
    out.bytes(*bytes);
    return;
  }
  const Bytes before = out.take();
  all.insert(all.end(), before.begin(), before.end());
  all.push_back(std::byte{0xf6});  // null
}

}  // namespace

const Certificate& nitro_test_root() {
  static const Certificate out =
      certify({"root.test", "root.test"}, root_key(), root_key(), true, kLongAgo, kFarAway);
  return out;
}

NitroRoots nitro_test_roots() {
  return {{sha256(nitro_test_root().spki())}};
}

Bytes encode_nitro_payload(const NitroDocumentParts& parts) {
  Bytes all;
  CborWriter out;
  if (parts.indefinite)
    all.push_back(std::byte{0xbf});
  else
    out.map(9);
  out.text("module_id");
  out.text(parts.module_id);
  out.text("digest");
  out.text(parts.digest);
  out.text("timestamp");
  out.uint(static_cast<std::uint64_t>(parts.time.time_since_epoch().count()) * 1000 + 7);
  out.text("pcrs");
  out.map(parts.pcrs.size());
  for (const auto& [number, value] : parts.pcrs) {
    out.uint(number);
    out.bytes(value);
  }
  out.text("certificate");
  out.bytes(
      certify({"enclave.test", "zone.test"}, enclave_key(), zone_key(), false, parts.from, parts.to)
          .der());
  out.text("cabundle");
  out.array(parts.with_root ? 2 : 1);
  if (parts.with_root) out.bytes(nitro_test_root().der());
  out.bytes(zone().der());
  out.text("public_key");
  optional_bytes(out, parts.public_key, all);
  out.text("user_data");
  optional_bytes(out, parts.user_data, all);
  out.text("nonce");
  optional_bytes(out, parts.nonce, all);
  const Bytes rest = out.take();
  all.insert(all.end(), rest.begin(), rest.end());
  if (parts.indefinite) all.push_back(std::byte{0xff});
  return all;
}

Bytes sign_nitro_payload(ByteView payload) {
  CoseSign1 out;
  out.algorithm = CoseAlgorithm::es384;
  out.payload.assign(payload.begin(), payload.end());
  const Bytes message = cose_signed_bytes(out.algorithm, payload);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  need(EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, enclave_key().get()) == 1);
  unsigned char der[128];
  std::size_t size = sizeof der;
  need(EVP_DigestSign(context.get(), der, &size, raw(message.data()), message.size()) == 1);
  const auto pair = ecdsa_pair(std::as_bytes(std::span(der, size)), 48);
  need(pair.has_value());
  out.signature = *pair;
  return encode_cose_sign1(out);
}

Bytes encode_nitro_document(const NitroDocumentParts& parts) {
  return sign_nitro_payload(encode_nitro_payload(parts));
}

}  // namespace cloister::sign
