// Intel's ECDSA quotes, as SGX and TDX platforms make them: version 3 (SGX), version 4 (SGX,
// TDX 1.0) and version 5 (SGX, TDX 1.0, TDX 1.5); the API reference of the DCAP quoting library,
// appendix A. What a quote says is read here; whether it is true is asked in verify_intel.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

template <std::size_t N>
using ByteArray = std::array<std::byte, N>;

inline constexpr std::size_t kSgxReportSize = 384;

// An enclave's report body (Intel SDM vol. 3D, 38.15, as far as the MAC): that of the enclave which
// is attested, and that of the quoting enclave. Byte strings are in memory order.
struct SgxReport {
  ByteArray<16> cpusvn{};
  std::uint32_t misc_select = 0;
  std::uint8_t cet_attributes = 0;
  ByteArray<16> isv_ext_prod_id{}, isv_family_id{};
  std::uint64_t flags = 0, xfrm = 0;  // ATTRIBUTES
  Digest mrenclave, mrsigner;
  ByteArray<64> config_id{};
  std::uint16_t isvprodid = 0, isvsvn = 0, config_svn = 0;
  ReportData report_data{};

  bool debug() const { return (flags & 2) != 0; }
  ByteArray<16> attributes() const;  // flags and xfrm as they lie in memory
};

// What TDX 1.5 adds to a trust domain's report.
struct TdReport15 {
  ByteArray<16> tee_tcb_svn2{};  // of the module that runs now; tee_tcb_svn: when the TD started
  ByteArray<48> mrservicetd{};
};

// A trust domain's report body, of TDX 1.0 or 1.5.
struct TdReport {
  ByteArray<16> tee_tcb_svn{};
  ByteArray<48> mrseam{}, mrsignerseam{};
  std::uint64_t seam_attributes = 0, td_attributes = 0, xfam = 0;
  ByteArray<48> mrtd{}, mrconfigid{}, mrowner{}, mrownerconfig{};
  std::array<ByteArray<48>, 4> rtmr{};
  ReportData report_data{};
  std::optional<TdReport15> version15;

  // TUD, "TD under debug": with any of these eight bits, of which the first is DEBUG, the host sees
  // what the trust domain does.
  bool debug() const { return (td_attributes & 0xff) != 0; }
};

// How the key that signed the quoting enclave's report is given.
enum class CertificationType : std::uint16_t {
  ppid_plain = 1,  // 1 to 3: the processor's name, to ask Intel for the certificate
  ppid_rsa2048 = 2,
  ppid_rsa3072 = 3,
  pck_certificate = 4,
  pck_chain = 5,  // PEM
};

struct EcdsaQuote {
  std::uint16_t version = 0;
  std::uint16_t qe_svn = 0, pce_svn = 0;  // version 3 only
  ByteArray<20> user_data{};
  std::variant<SgxReport, TdReport> body;
  Bytes signed_bytes;  // header and body
  ByteArray<64> signature{};
  ByteArray<64> attestation_key{};  // x, y
  SgxReport qe_report;
  ByteArray<kSgxReportSize> qe_report_bytes{};
  ByteArray<64> qe_report_signature{};
  Bytes auth_data;  // of the quoting enclave, bound by its report with the attestation key
  CertificationType certification_type = CertificationType::pck_chain;
  Bytes certification;

  const SgxReport* sgx() const { return std::get_if<SgxReport>(&body); }
  const TdReport* td() const { return std::get_if<TdReport>(&body); }
  TeeKind tee() const { return sgx() != nullptr ? TeeKind::sgx : TeeKind::tdx; }
  const ReportData& report_data() const;
  bool debug() const;
};

// Bytes after the signature data are no part of a quote and are passed over: platforms hand out
// buffers of fixed size. `unsupported` for another version, body, attestation key, vendor or
// certification data than those above; `corrupt` for everything that does not fit together.
Result<EcdsaQuote> parse_ecdsa_quote(ByteView bytes);

}  // namespace cloister::sign
