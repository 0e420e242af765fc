#include "tests/sign/quote/intel_pki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

constexpr const char* kRoot = "Test SGX Root CA";
constexpr const char* kCa = "Test SGX PCK Platform CA";

Seconds day(int year, unsigned month, unsigned of_month) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                               std::chrono::day(of_month));
}

TestValidity long_validity() {
  return {day(2020, 1, 1), day(2040, 1, 1)};
}
TestValidity month_validity() {
  return {day(2025, 6, 19), day(2025, 7, 19)};
}

Bytes serialized(const auto* object, auto encode) {
  Bytes out(static_cast<std::size_t>(encode(object, nullptr)));
  unsigned char* to = raw(out.data());
  encode(object, &to);
  return out;
}

X509_NAME* name_of(const std::string& common_name) {
  X509_NAME* name = X509_NAME_new();
  X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  return name;
}

void set_time(ASN1_TIME* to, Seconds time) {
  ASN1_TIME_set(to, static_cast<std::time_t>(time.time_since_epoch().count()));
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Bytes tlv(std::uint8_t tag, ByteView value) {
  Bytes out{std::byte{tag}};
  if (value.size() >= 0x100) {
    out.push_back(std::byte{0x82});
    out.push_back(static_cast<std::byte>(value.size() >> 8));
  } else if (value.size() >= 0x80) {
    out.push_back(std::byte{0x81});
  }
  out.push_back(static_cast<std::byte>(value.size() & 0xff));
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// SEQUENCE { 1.2.840.113741.1.13.1.<tail>, value }
Bytes named(const std::vector<std::uint8_t>& tail, const Bytes& value) {
  Bytes oid = *unhex("2a864886f84d010d01");
  for (const std::uint8_t number : tail) oid.push_back(static_cast<std::byte>(number));
  return tlv(0x30, joined({tlv(6, oid), value}));
}

Bytes integer(std::uint32_t value) {
  Bytes digits;
  for (; value > 0 || digits.empty(); value >>= 8)
    digits.insert(digits.begin(), static_cast<std::byte>(value & 0xff));
  if ((digits.front() & std::byte{0x80}) != std::byte{0})
    digits.insert(digits.begin(), std::byte{0});
  return tlv(2, digits);
}

std::string json_levels(const std::vector<IsvLevel>& levels) {
  std::vector<std::string> out;
  for (const IsvLevel& level : levels)
    out.push_back(cat(
        R"({"tcb":{"isvsvn":)", level.isvsvn, R"(},"tcbDate":")", format_rfc3339(level.date),
        R"(","tcbStatus":")", tcb_status_name(level.status), R"(","advisoryIDs":[)",
        level.advisories.empty() ? "" : cat("\"", join(level.advisories, "\",\""), "\""), "]}"));
  return cat("[", join(out, ","), "]");
}

std::string json_components(const TcbComponents& components) {
  std::vector<std::string> out;
  for (const std::uint8_t svn : components) out.push_back(cat(R"({"svn":)", svn, "}"));
  return cat("[", join(out, ","), "]");
}

std::string json_level(const TcbLevel& level, const TcbInfo& info) {
  std::string tcb;
  if (info.version == 2) {
    for (std::size_t i = 0; i < level.sgx.size(); ++i)
      tcb += cat("\"sgxtcbcomp", i < 9 ? "0" : "", i + 1, "svn\":", level.sgx[i], ",");
  } else {
    tcb = cat("\"sgxtcbcomponents\":", json_components(level.sgx), ",");
  }
  if (info.tee == TeeKind::tdx)
    tcb += cat("\"tdxtcbcomponents\":", json_components(level.tdx), ",");
  return cat("{\"tcb\":{", tcb, "\"pcesvn\":", level.pcesvn, R"(},"tcbDate":")",
             format_rfc3339(level.date), R"(","tcbStatus":")", tcb_status_name(level.status),
             R"(","advisoryIDs":[)",
             level.advisories.empty() ? "" : cat("\"", join(level.advisories, "\",\""), "\""),
             "]}");
}

std::string json_module(const TdxModule& module) {
  return cat(R"("mrsigner":")", hex(module.mrsigner), R"(","attributes":")", hex(module.attributes),
             R"(","attributesMask":")", hex(module.attributes_mask), "\"");
}

std::string signed_reply(std::string_view member, const std::string& body, const TestKey& key) {
  return cat("{\"", member, "\":", body, ",\"signature\":\"", hex(key.sign(as_bytes(body))), "\"}");
}

IsvLevel isv_level(std::uint16_t isvsvn, TcbStatus status, std::vector<std::string> advisories) {
  return {isvsvn, day(2024, 3, 13), status, std::move(advisories)};
}

TdxModule test_module(std::uint8_t version) {
  TdxModule module;
  module.version = version;
  module.attributes_mask.fill(std::byte{0xff});
  module.levels = {isv_level(4, TcbStatus::up_to_date, {}),
                   isv_level(2, TcbStatus::out_of_date, {"INTEL-SA-01036"})};
  return module;
}

SgxReport quoting_enclave(std::uint16_t isvprodid, std::string_view signer) {
  SgxReport qe;
  qe.flags = 0x15;
  qe.xfrm = 0xe7;
  qe.mrenclave = sha256(cat(signer, " enclave"));
  qe.mrsigner = sha256(signer);
  qe.isvprodid = isvprodid;
  qe.isvsvn = 8;
  return qe;
}

QeIdentity identity_of(EnclaveId id, const SgxReport& qe) {
  QeIdentity out;
  out.id = id;
  out.issue_date = month_validity().from;
  out.next_update = month_validity().to;
  out.evaluation = 17;
  out.misc_mask.fill(std::byte{0xff});
  out.attributes[0] = std::byte{0x11};
  out.attributes_mask.fill(std::byte{0xff});
  out.attributes_mask[0] = std::byte{0xfb};
  std::fill(out.attributes_mask.begin() + 8, out.attributes_mask.end(), std::byte{0});
  out.mrsigner = qe.mrsigner;
  out.isvprodid = qe.isvprodid;
  out.levels = {isv_level(8, TcbStatus::up_to_date, {}),
                isv_level(6, TcbStatus::out_of_date, {"INTEL-SA-00615"}),
                isv_level(5, TcbStatus::revoked, {"INTEL-SA-00477"})};
  return out;
}

TcbInfo info_of(TeeKind tee, const PckExtension& platform) {
  TcbInfo out;
  out.tee = tee;
  out.issue_date = month_validity().from;
  out.next_update = month_validity().to;
  out.fmspc = platform.fmspc;
  out.pceid = platform.pceid;
  out.evaluation = 17;
  TcbLevel best;
  best.sgx.fill(2);
  best.pcesvn = 11;
  best.date = day(2024, 3, 13);
  best.status = TcbStatus::up_to_date;
  if (tee == TeeKind::tdx) {
    best.tdx = {5, 0, 2};
    out.module = test_module(0);
    out.modules = {test_module(3), test_module(1)};
  }
  TcbLevel older = best;
  older.sgx.fill(1);
  older.pcesvn = 10;
  older.tdx = {};
  older.status = TcbStatus::out_of_date;
  older.advisories = {"INTEL-SA-00828"};
  out.levels = {best, older};
  return out;
}

}  // namespace

TestKey::TestKey() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {}

ByteArray<64> TestKey::point() const {
  unsigned char bytes[65];
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes, &size);
  ByteArray<64> out{};
  std::copy_n(std::as_bytes(std::span(bytes)).begin() + 1, out.size(), out.begin());
  return out;
}

ByteArray<64> TestKey::sign(ByteView message) const {
  const std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char der[80];
  std::size_t size = sizeof der;
  EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr);
  EVP_DigestSign(context.get(), der, &size, raw(message.data()), message.size());
  const unsigned char* at = der;
  const std::shared_ptr<ECDSA_SIG> pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)),
                                        ECDSA_SIG_free);
  ByteArray<64> out{};
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw(out.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw(out.data() + 32), 32);
  return out;
}

ByteArray<kSgxReportSize> encode_sgx_report(const SgxReport& r) {
  ByteWriter out;
  out.bytes(r.cpusvn);
  out.u32(r.misc_select);
  out.u8(r.cet_attributes);
  out.zeros(11);
  out.bytes(r.isv_ext_prod_id);
  out.u64(r.flags);
  out.u64(r.xfrm);
  out.bytes(r.mrenclave.bytes);
  out.zeros(32);
  out.bytes(r.mrsigner.bytes);
  out.zeros(32);
  out.bytes(r.config_id);
  out.u16(r.isvprodid);
  out.u16(r.isvsvn);
  out.u16(r.config_svn);
  out.zeros(42);
  out.bytes(r.isv_family_id);
  out.bytes(r.report_data);
  ByteArray<kSgxReportSize> bytes{};
  std::copy(out.view().begin(), out.view().end(), bytes.begin());
  return bytes;
}

Bytes encode_td_report(const TdReport& r) {
  ByteWriter out;
  out.bytes(r.tee_tcb_svn);
  out.bytes(r.mrseam);
  out.bytes(r.mrsignerseam);
  out.u64(r.seam_attributes);
  out.u64(r.td_attributes);
  out.u64(r.xfam);
  for (const auto* field : {&r.mrtd, &r.mrconfigid, &r.mrowner, &r.mrownerconfig})
    out.bytes(*field);
  for (const auto& rtmr : r.rtmr) out.bytes(rtmr);
  out.bytes(r.report_data);
  if (r.version15) {
    out.bytes(r.version15->tee_tcb_svn2);
    out.bytes(r.version15->mrservicetd);
  }
  return out.take();
}

Bytes make_certificate(const TestCertificate& what, const TestKey& key, const TestKey& issuer) {
  const std::shared_ptr<X509> x509(X509_new(), X509_free);
  X509_set_version(x509.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509.get()), what.serial);
  X509_NAME* subject = name_of(what.common_name);
  X509_NAME* by = name_of(what.issuer);
  X509_set_subject_name(x509.get(), subject);
  X509_set_issuer_name(x509.get(), by);
  X509_NAME_free(subject);
  X509_NAME_free(by);
  set_time(X509_getm_notBefore(x509.get()), what.validity.from);
  set_time(X509_getm_notAfter(x509.get()), what.validity.to);
  X509_set_pubkey(x509.get(), key.get());
  add_extension(x509.get(), NID_basic_constraints,
                what.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(x509.get(), NID_key_usage,
                what.ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!what.sgx_extension.empty()) {
    ASN1_OBJECT* oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
    ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, raw(what.sgx_extension.data()),
                          static_cast<int>(what.sgx_extension.size()));
    X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, oid, 0, value);
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
  }
  X509_sign(x509.get(), issuer.get(), EVP_sha256());
  return serialized(x509.get(), i2d_X509);
}

Bytes make_revocation_list(const std::string& issuer, const TestKey& key, TestValidity validity,
                           const std::vector<std::uint64_t>& serials) {
  const std::shared_ptr<X509_CRL> crl(X509_CRL_new(), X509_CRL_free);
  X509_CRL_set_version(crl.get(), 1);
  X509_NAME* name = name_of(issuer);
  X509_CRL_set_issuer_name(crl.get(), name);
  X509_NAME_free(name);
  const std::shared_ptr<ASN1_TIME> time(ASN1_TIME_new(), ASN1_TIME_free);
  set_time(time.get(), validity.from);
  X509_CRL_set1_lastUpdate(crl.get(), time.get());
  set_time(time.get(), validity.to);
  X509_CRL_set1_nextUpdate(crl.get(), time.get());
  set_time(time.get(), validity.from);
  for (const std::uint64_t serial : serials) {
    X509_REVOKED* revoked = X509_REVOKED_new();
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set_uint64(number, serial);
    X509_REVOKED_set_serialNumber(revoked, number);
    ASN1_INTEGER_free(number);
    X509_REVOKED_set_revocationDate(revoked, time.get());
    X509_CRL_add0_revoked(crl.get(), revoked);
  }
  X509_CRL_sort(crl.get());
  X509_CRL_sign(crl.get(), key.get(), EVP_sha256());
  return serialized(crl.get(), i2d_X509_CRL);
}

Bytes encode_pck_extension(const PckExtension& e) {
  std::vector<Bytes> tcb;
  for (std::uint8_t i = 0; i < 16; ++i)
    tcb.push_back(named({2, static_cast<std::uint8_t>(i + 1)}, integer(e.components[i])));
  tcb.push_back(named({2, 17}, integer(e.pcesvn)));
  tcb.push_back(named({2, 18}, tlv(4, e.cpusvn)));
  return tlv(0x30, joined({named({1}, tlv(4, e.ppid)), named({2}, tlv(0x30, joined(tcb))),
                           named({3}, tlv(4, e.pceid)), named({4}, tlv(4, e.fmspc)),
                           named({5}, tlv(10, Bytes(1)))}));
}

std::string pem_certificate(ByteView der) {
  return cat("-----BEGIN CERTIFICATE-----\n", base64(der), "\n-----END CERTIFICATE-----\n");
}

IntelPki::IntelPki()
    : root(long_validity()),
      ca(long_validity()),
      pck(long_validity()),
      tcb_signer(long_validity()),
      root_list(month_validity()),
      pck_list(month_validity()),
      qe(quoting_enclave(1, "SGX")),
      td_qe(quoting_enclave(2, "TDX")) {
  platform.components.fill(3);
  platform.cpusvn.fill(std::byte{3});
  platform.pcesvn = 11;
  platform.ppid.fill(std::byte{0x5a});
  platform.fmspc = {std::byte{0}, std::byte{0xa0}, std::byte{0x67}, std::byte{0x11}};
  sgx_info = info_of(TeeKind::sgx, platform);
  tdx_info = info_of(TeeKind::tdx, platform);
  sgx_identity = identity_of(EnclaveId::qe, qe);
  tdx_identity = identity_of(EnclaveId::td_qe, td_qe);
}

Seconds IntelPki::now() const {
  return day(2025, 7, 1);
}

std::vector<Bytes> IntelPki::pck_chain(ChainOrder order) const {
  const Bytes top =
      make_certificate({kRoot, kRoot, kRootSerial, root, true, {}}, root_key, root_key);
  const Bytes middle = make_certificate({kCa, kRoot, kCaSerial, ca, true, {}}, ca_key, root_key);
  const Bytes leaf = make_certificate(
      {"Test SGX PCK Certificate", kCa, kPckSerial, pck, false, encode_pck_extension(platform)},
      pck_key, ca_key);
  if (order == ChainOrder::root_first) return {top, middle, leaf};
  if (order == ChainOrder::root_in_the_middle) return {leaf, top, middle};
  return {leaf, middle, top};
}

std::vector<Bytes> IntelPki::tcb_chain() const {
  return {make_certificate({"Test SGX TCB Signing", kRoot, kTcbSerial, tcb_signer, false, {}},
                           tcb_key, root_key),
          make_certificate({kRoot, kRoot, kRootSerial, root, true, {}}, root_key, root_key)};
}

Bytes IntelPki::root_crl() const {
  return make_revocation_list(kRoot, root_key, root_list, revoked_by_root);
}

Bytes IntelPki::pck_crl() const {
  return make_revocation_list(kCa, ca_key, pck_list, revoked_by_ca);
}

IntelRoots IntelPki::roots() const {
  return IntelRoots({sha256(serialized(root_key.get(), i2d_PUBKEY))});
}

std::string IntelPki::tcb_info_reply(TeeKind tee) const {
  return signed_reply("tcbInfo", encode_tcb_info(tee == TeeKind::sgx ? sgx_info : tdx_info),
                      tcb_key);
}

std::string IntelPki::identity_reply(TeeKind tee) const {
  return signed_reply("enclaveIdentity",
                      encode_identity(tee == TeeKind::sgx ? sgx_identity : tdx_identity), tcb_key);
}

IntelCollateral IntelPki::collateral(bool with_pck_chain) const {
  IntelCollateral out;
  std::vector<Bytes> files = tcb_chain();
  files.push_back(root_crl());
  files.push_back(pck_crl());
  if (with_pck_chain)
    for (const Bytes& one : pck_chain(ChainOrder::leaf_first)) files.push_back(one);
  for (const TeeKind tee : {TeeKind::sgx, TeeKind::tdx}) {
    files.push_back(to_bytes(tcb_info_reply(tee)));
    files.push_back(to_bytes(identity_reply(tee)));
  }
  for (const Bytes& file : files)
    if (!must(add_collateral(out, file, Limits()))) std::abort();
  return out;
}

Bytes IntelPki::quote(const TestQuote& what) const {
  const bool is_td = std::holds_alternative<TdReport>(what.body);
  ByteWriter head;
  head.u16(what.version);
  head.u16(2);
  head.u32(is_td ? 0x81 : 0);
  head.u32(0);
  head.bytes(*unhex("939a7233f79c4ca9940a0db3957f0607"));
  head.zeros(20);
  const Bytes body = is_td ? encode_td_report(std::get<TdReport>(what.body)) : [&] {
    const auto bytes = encode_sgx_report(std::get<SgxReport>(what.body));
    return Bytes(bytes.begin(), bytes.end());
  }();
  if (what.version == 5) {
    head.u16(!is_td ? 1 : std::get<TdReport>(what.body).version15 ? 3 : 2);
    head.u32(static_cast<std::uint32_t>(body.size()));
  }
  head.bytes(body);

  SgxReport report = is_td ? td_qe : qe;
  Sha256 hash;
  hash.update(attestation_key.point());
  hash.update(what.auth_data);
  const Digest bound = hash.finish();
  std::copy(bound.bytes.begin(), bound.bytes.end(), report.report_data.begin());
  const auto report_bytes = encode_sgx_report(report);

  Bytes certification(36);
  const auto chain = pck_chain(what.order);
  if (what.certification == CertificationType::pck_certificate) certification = chain.front();
  if (what.certification == CertificationType::pck_chain) {
    certification.clear();
    for (const Bytes& one : chain) {
      const Bytes pem = to_bytes(pem_certificate(one));
      certification.insert(certification.end(), pem.begin(), pem.end());
    }
    certification.push_back(std::byte{0});
  }
  ByteWriter inner;
  inner.bytes(report_bytes);
  inner.bytes(pck_key.sign(report_bytes));
  inner.u16(static_cast<std::uint16_t>(what.auth_data.size()));
  inner.bytes(what.auth_data);
  inner.u16(static_cast<std::uint16_t>(what.certification));
  inner.u32(static_cast<std::uint32_t>(certification.size()));
  inner.bytes(certification);

  ByteWriter signature;
  signature.bytes(attestation_key.sign(head.view()));
  signature.bytes(attestation_key.point());
  if (what.version > 3) {
    signature.u16(6);
    signature.u32(static_cast<std::uint32_t>(inner.size()));
  }
  signature.bytes(inner.view());
  head.u32(static_cast<std::uint32_t>(signature.size()));
  head.bytes(signature.view());
  return head.take();
}

EcdsaQuote IntelPki::parsed(const TestQuote& what) const {
  return must(parse_ecdsa_quote(quote(what)));
}

SgxReport test_enclave() {
  SgxReport out;
  out.flags = 5;
  out.xfrm = 0xe7;
  out.mrenclave = sha256("enclave");
  out.mrsigner = sha256("signer");
  out.isvsvn = 1;
  out.report_data.fill(std::byte{0xda});
  return out;
}

TdReport test_domain() {
  TdReport out;
  out.tee_tcb_svn = {std::byte{5}, std::byte{1}, std::byte{2}};
  out.xfam = 0xe7;
  out.mrtd.fill(std::byte{0x17});
  out.report_data.fill(std::byte{0xda});
  return out;
}

TdReport test_domain15() {
  TdReport out = test_domain();
  out.version15.emplace().tee_tcb_svn2 = out.tee_tcb_svn;
  return out;
}

std::string encode_tcb_info(const TcbInfo& info) {
  std::string head;
  if (info.version != 2) head = cat(R"("id":")", info.tee == TeeKind::sgx ? "SGX" : "TDX", "\",");
  std::string modules;
  if (info.module) {
    std::vector<std::string> identities;
    for (const TdxModule& one : info.modules)
      identities.push_back(cat(R"({"id":"TDX_)", hex(std::span(&one.version, 1)), "\",",
                               json_module(one), ",\"tcbLevels\":", json_levels(one.levels), "}"));
    modules = cat("\"tdxModule\":{", json_module(*info.module), "},\"tdxModuleIdentities\":[",
                  join(identities, ","), "],");
  }
  std::vector<std::string> levels;
  for (const TcbLevel& one : info.levels) levels.push_back(json_level(one, info));
  return cat("{", head, "\"version\":", info.version, R"(,"issueDate":")",
             format_rfc3339(info.issue_date), R"(","nextUpdate":")",
             format_rfc3339(info.next_update), R"(","fmspc":")", hex(info.fmspc), R"(","pceId":")",
             hex(info.pceid), R"(","tcbType":0,"tcbEvaluationDataNumber":)", info.evaluation, ",",
             modules, "\"tcbLevels\":[", join(levels, ","), "]}");
}

std::string encode_identity(const QeIdentity& identity) {
  return cat(R"({"id":")", enclave_id_name(identity.id), R"(","version":2,"issueDate":")",
             format_rfc3339(identity.issue_date), R"(","nextUpdate":")",
             format_rfc3339(identity.next_update), R"(","tcbEvaluationDataNumber":)",
             identity.evaluation, R"(,"miscselect":")", hex(identity.misc_select),
             R"(","miscselectMask":")", hex(identity.misc_mask), R"(","attributes":")",
             hex(identity.attributes), R"(","attributesMask":")", hex(identity.attributes_mask),
             R"(","mrsigner":")", identity.mrsigner.hex(), R"(","isvprodid":)", identity.isvprodid,
             ",\"tcbLevels\":", json_levels(identity.levels), "}");
}

}  // namespace cloister::sign
