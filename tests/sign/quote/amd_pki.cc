#include "tests/sign/quote/amd_pki.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

#include "base/text.h"

namespace cloister::sign {
namespace {

// Failures here are the test's own: they end it.
void need(bool good) {
  if (!good) throw std::runtime_error("OpenSSL failed in the tests' AMD hierarchy");
}

AmdKey rsa_key() {
  return {EVP_RSA_gen(2048), EVP_PKEY_free};
}
// Slow to make, so once in a process.
const AmdKey& ark_key() {
  static const AmdKey key = rsa_key();
  return key;
}
const AmdKey& intermediate_key() {
  static const AmdKey key = rsa_key();
  return key;
}
const AmdKey& leaf_key() {
  static const AmdKey key(EVP_EC_gen("P-384"), EVP_PKEY_free);
  return key;
}

template <class T>
struct Free {
  void operator()(T* object) const;
};
template <>
void Free<X509>::operator()(X509* object) const {
  X509_free(object);
}
template <>
void Free<X509_CRL>::operator()(X509_CRL* object) const {
  X509_CRL_free(object);
}
template <>
void Free<EVP_MD_CTX>::operator()(EVP_MD_CTX* object) const {
  EVP_MD_CTX_free(object);
}

// A context that signs as AMD does: RSASSA-PSS, SHA-384, MGF1 with SHA-384, 48 bytes of salt.
std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX>> pss_context(const AmdKey& key) {
  std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX>> out(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  need(EVP_DigestSignInit(out.get(), &parameters, EVP_sha384(), nullptr, key.get()) == 1);
  need(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
  need(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 48) == 1);
  need(EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha384()) == 1);
  return out;
}

void set_name(X509_NAME* name, const std::string& common_name) {
  need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, raw(as_bytes(common_name).data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1);
}

void set_time(ASN1_TIME* to, Seconds time) {
  need(ASN1_TIME_set(to, time.time_since_epoch().count()) != nullptr);
}

void add_extension(X509* to, const char* oid, const Bytes& value) {
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  need(ASN1_OCTET_STRING_set(octets, raw(value.data()), static_cast<int>(value.size())) == 1);
  ASN1_OBJECT* object = OBJ_txt2obj(oid, 1);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 0, octets);
  need(X509_add_ext(to, extension, -1) == 1);
  X509_EXTENSION_free(extension);
  ASN1_OBJECT_free(object);
  ASN1_OCTET_STRING_free(octets);
}

void add_standard(X509* to, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  need(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Bytes der_integer(std::uint8_t value) {
  ByteWriter out;
  out.u8(2);
  out.u8(value >= 0x80 ? 2 : 1);
  if (value >= 0x80) out.u8(0);
  out.u8(value);
  return out.take();
}

Bytes ia5_string(const std::string& text) {
  ByteWriter out;
  out.u8(0x16);
  out.u8(static_cast<std::uint8_t>(text.size()));
  out.text(text);
  return out.take();
}

using X509Ptr = std::unique_ptr<X509, Free<X509>>;

X509Ptr start(const std::string& name, const std::string& issuer, std::uint64_t serial,
              const AmdKey& key, AmdValidity validity) {
  X509Ptr out(X509_new());
  need(X509_set_version(out.get(), X509_VERSION_3) == 1);
  need(ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), serial) == 1);
  set_name(X509_get_subject_name(out.get()), name);
  set_name(X509_get_issuer_name(out.get()), issuer);
  set_time(X509_getm_notBefore(out.get()), validity.from);
  set_time(X509_getm_notAfter(out.get()), validity.to);
  need(X509_set_pubkey(out.get(), key.get()) == 1);
  return out;
}

Certificate finish(X509* certificate, const AmdKey& issuer) {
  need(X509_sign_ctx(certificate, pss_context(issuer).get()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  need(size > 0);
  auto out = Certificate::parse_der(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  need(out.has_value());
  return *out;
}

Certificate authority(const std::string& name, const std::string& issuer, std::uint64_t serial,
                      const AmdKey& key, AmdValidity validity) {
  const X509Ptr out = start(name, issuer, serial, key, validity);
  add_standard(out.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_standard(out.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  return finish(out.get(), ark_key());
}

// r and s of a DER signature in 72 little-endian bytes each.
void write_signature(ByteWriter& out, ByteView signed_bytes) {
  std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX>> context(EVP_MD_CTX_new());
  Bytes der(256);
  std::size_t size = der.size();
  need(EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, leaf_key().get()) == 1);
  need(EVP_DigestSign(context.get(), raw(der.data()), &size, raw(signed_bytes.data()),
                      signed_bytes.size()) == 1);
  const unsigned char* at = raw(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  need(pair != nullptr);
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(pair), ECDSA_SIG_get0_s(pair)}) {
    Bytes little(72);
    need(BN_bn2lebinpad(number, raw(little.data()), static_cast<int>(little.size())) > 0);
    out.bytes(little);
  }
  ECDSA_SIG_free(pair);
}

}  // namespace

AmdPki::AmdPki(SnpProduct product, AmdValidity validity) : product_(product) {
  const std::string name(snp_product_name(product)), ark = cat("ARK-", name);
  certificates_ = {authority(ark, ark, 0x10000, ark_key(), validity),
                   authority(cat("SEV-", name), ark, 0x10001, intermediate_key(), validity),
                   authority(cat("SEV-VLEK-", name), ark, 0x10101, intermediate_key(), validity)};
}

SnpRoots AmdPki::roots() const {
  return {{SnpRoot{product_, sha256(ark().spki())}}};
}

Certificate AmdPki::leaf(const AmdLeaf& leaf) const {
  const std::string name(snp_product_name(product_));
  const bool vlek = leaf.signer == SnpSigner::vlek;
  const X509Ptr out = start(vlek ? "SEV-VLEK" : "SEV-VCEK", cat(vlek ? "SEV-VLEK-" : "SEV-", name),
                            0, leaf_key(), leaf.validity);
  const std::string arc = "1.3.6.1.4.1.3704.1.";
  add_extension(out.get(), cat(arc, "1").c_str(), der_integer(1));
  add_extension(out.get(), cat(arc, "2").c_str(),
                ia5_string(leaf.product.empty() ? cat(name, "-B0") : leaf.product));
  constexpr std::array<int, 8> kMilan = {1, 2, 4, 5, 6, 7, 3, 8}, kTurin = {9, 1, 2, 3, 5, 6, 7, 8};
  for (std::size_t i = 0; i < leaf.tcb.size(); ++i) {
    const int level = product_ == SnpProduct::turin ? kTurin.at(i) : kMilan.at(i);
    add_extension(out.get(), cat(arc, "3.", level).c_str(), der_integer(leaf.tcb.at(i)));
  }
  if (vlek)
    add_extension(out.get(), cat(arc, "5").c_str(), ia5_string(leaf.cloud));
  else
    add_extension(out.get(), cat(arc, "4").c_str(), leaf.chip);
  return finish(out.get(), intermediate_key());
}

Bytes AmdPki::revocation_list(const std::vector<Certificate>& revoked, AmdValidity validity) const {
  const std::unique_ptr<X509_CRL, Free<X509_CRL>> out(X509_CRL_new());
  need(X509_CRL_set_version(out.get(), X509_CRL_VERSION_2) == 1);
  X509_NAME* issuer = X509_NAME_new();
  set_name(issuer, ark().common_name());
  need(X509_CRL_set_issuer_name(out.get(), issuer) == 1);
  X509_NAME_free(issuer);
  ASN1_TIME* time = ASN1_TIME_new();
  set_time(time, validity.from);
  need(X509_CRL_set1_lastUpdate(out.get(), time) == 1);
  for (const Certificate& one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    BIGNUM* serial =
        BN_bin2bn(raw(one.serial().data()), static_cast<int>(one.serial().size()), nullptr);
    ASN1_INTEGER* number = BN_to_ASN1_INTEGER(serial, nullptr);
    need(X509_REVOKED_set_serialNumber(entry, number) == 1);
    need(X509_REVOKED_set_revocationDate(entry, time) == 1);
    need(X509_CRL_add0_revoked(out.get(), entry) == 1);
    ASN1_INTEGER_free(number);
    BN_free(serial);
  }
  set_time(time, validity.to);
  need(X509_CRL_set1_nextUpdate(out.get(), time) == 1);
  ASN1_TIME_free(time);
  need(X509_CRL_sign_ctx(out.get(), pss_context(ark_key()).get()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(out.get(), &der);
  need(size > 0);
  const ByteView view = std::as_bytes(std::span(der, static_cast<std::size_t>(size)));
  Bytes bytes(view.begin(), view.end());
  OPENSSL_free(der);
  return bytes;
}

SnpCollateral AmdPki::collateral(const AmdLeaf& leaf) const {
  SnpCollateral out;
  out.certificates = certificates_;
  out.certificates.push_back(this->leaf(leaf));
  return out;
}

SnpReport plain_report(SnpProduct product, const AmdLeaf& leaf) {
  SnpReport out;
  out.version = 3;
  out.policy.bits = 0x30000;
  out.signature_algorithm = 1;
  out.signer_bits = static_cast<std::uint32_t>(leaf.signer);
  out.current_tcb = out.reported_tcb = out.committed_tcb = out.launch_tcb = leaf.tcb;
  out.report_id_ma.fill(std::byte{0xff});
  out.data.fill(std::byte{0x11});
  out.measurement.fill(std::byte{0x22});
  out.cpuid = product == SnpProduct::milan   ? SnpCpuid{0x19, 1, 1}
              : product == SnpProduct::genoa ? SnpCpuid{0x19, 0x11, 1}
                                             : SnpCpuid{0x1a, 2, 1};
  std::copy(leaf.chip.begin(), leaf.chip.end(), out.chip_id.begin());
  return out;
}

Bytes encode_snp_report(const SnpReport& r) {
  ByteWriter out;
  const auto tcb = [&](const SnpTcb& levels) { out.u64(tcb_number(levels)); };
  const auto firmware = [&](const SnpFirmware& f) {
    for (const std::uint8_t part : {f.build, f.minor, f.major, std::uint8_t{0}}) out.u8(part);
  };
  out.u32(r.version);
  out.u32(r.guest_svn);
  out.u64(r.policy.bits);
  out.bytes(r.family_id);
  out.bytes(r.image_id);
  out.u32(r.vmpl);
  out.u32(r.signature_algorithm);
  tcb(r.current_tcb);
  out.u64(r.platform_info);
  out.u32((r.author_key ? 1U : 0U) | (r.mask_chip_key ? 2U : 0U) | r.signer_bits << 2);
  out.u32(0);
  out.bytes(r.data);
  out.bytes(r.measurement);
  out.bytes(r.host_data);
  out.bytes(r.id_key_digest);
  out.bytes(r.author_key_digest);
  out.bytes(r.report_id);
  out.bytes(r.report_id_ma);
  tcb(r.reported_tcb);
  const SnpCpuid cpuid = r.cpuid.value_or(SnpCpuid{});
  for (const std::uint8_t part : {cpuid.family, cpuid.model, cpuid.stepping}) out.u8(part);
  out.zeros(0x1a0 - out.size());
  out.bytes(r.chip_id);
  tcb(r.committed_tcb);
  firmware(r.current_firmware);
  firmware(r.committed_firmware);
  tcb(r.launch_tcb);
  out.u64(r.launch_mitigations);
  out.u64(r.current_mitigations);
  out.zeros(0x2a0 - out.size());
  const Bytes signed_bytes = out.view();
  write_signature(out, signed_bytes);
  out.zeros(kSnpReportSize - out.size());
  return out.take();
}

}  // namespace cloister::sign
