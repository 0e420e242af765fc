// An Intel of our own: a root with all that stands under it, a platform, and quotes of that
// platform. Everything is a value that a test changes before it asks for collateral or a quote.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/intel_collateral.h"
#include "sign/quote/pck.h"
#include "sign/quote/qe_identity.h"
#include "sign/quote/tcb_info.h"
#include "sign/quote/verify_intel.h"

struct evp_pkey_st;

namespace cloister::sign {

// A P-256 key.
class TestKey {
 public:
  TestKey();  // a new one
  ByteArray<64> point() const;
  ByteArray<64> sign(ByteView message) const;  // r, s, over SHA-256
  evp_pkey_st* get() const { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

struct TestValidity {
  Seconds from, to;
};

// `encode_` functions: the bytes as they stand in a quote.
ByteArray<kSgxReportSize> encode_sgx_report(const SgxReport& report);
Bytes encode_td_report(const TdReport& report);

struct TestCertificate {
  std::string common_name, issuer;
  std::uint64_t serial = 1;
  TestValidity validity;
  bool ca = false;
  Bytes sgx_extension;  // empty: none
};
Bytes make_certificate(const TestCertificate& what, const TestKey& key, const TestKey& issuer);
Bytes make_revocation_list(const std::string& issuer, const TestKey& key, TestValidity validity,
                           const std::vector<std::uint64_t>& serials);
Bytes encode_pck_extension(const PckExtension& extension);
std::string pem_certificate(ByteView der);

enum class ChainOrder { leaf_first, root_in_the_middle, root_first };

struct TestQuote {
  std::uint16_t version = 3;
  std::variant<SgxReport, TdReport> body;
  CertificationType certification = CertificationType::pck_chain;
  ChainOrder order = ChainOrder::leaf_first;
  Bytes auth_data = Bytes(32, std::byte{7});
};

struct IntelPki {
  IntelPki();

  TestKey root_key, ca_key, pck_key, tcb_key, attestation_key;
  static constexpr std::uint64_t kRootSerial = 1, kCaSerial = 2, kTcbSerial = 3, kPckSerial = 4;
  TestValidity root, ca, pck, tcb_signer, root_list, pck_list;
  std::vector<std::uint64_t> revoked_by_root, revoked_by_ca;
  PckExtension platform;
  TcbInfo sgx_info, tdx_info;
  QeIdentity sgx_identity, tdx_identity;
  SgxReport qe, td_qe;  // their report data is made

  Seconds now() const;                                   // a time at which all is valid
  std::vector<Bytes> pck_chain(ChainOrder order) const;  // certificates, DER
  std::vector<Bytes> tcb_chain() const;
  Bytes root_crl() const;
  Bytes pck_crl() const;
  IntelRoots roots() const;
  // What a PCCS answers.
  std::string tcb_info_reply(TeeKind tee) const;
  std::string identity_reply(TeeKind tee) const;
  // All of it, for both TEEs; with the chain that a quote does not bring itself.
  IntelCollateral collateral(bool with_pck_chain = false) const;

  Bytes quote(const TestQuote& what) const;
  EcdsaQuote parsed(const TestQuote& what) const;
};

// An enclave, or a trust domain, that nothing is wrong with.
SgxReport test_enclave();
TdReport test_domain();    // of TDX 1.0
TdReport test_domain15();  // of TDX 1.5

std::string encode_tcb_info(const TcbInfo& info);
std::string encode_identity(const QeIdentity& identity);

}  // namespace cloister::sign
