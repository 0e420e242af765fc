// The attestation report of AMD SEV-SNP (SEV Secure Nested Paging Firmware ABI Specification,
// 56860, table ATTESTATION_REPORT): what the security processor says of a guest, every field as a
// value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

constexpr std::size_t kSnpReportSize = 1184;

// Security patch levels of the firmware's parts, one per byte as the processor stores them. Which
// byte is which part depends on the product.
using SnpTcb = std::array<std::uint8_t, 8>;
std::uint64_t tcb_number(const SnpTcb& tcb);  // little-endian, as tools print it

enum class SnpSigner : std::uint8_t { vcek = 0, vlek = 1, none = 7 };

struct SnpPolicy {
  std::uint64_t bits = 0;

  std::uint8_t abi_minor() const { return static_cast<std::uint8_t>(bits); }
  std::uint8_t abi_major() const { return static_cast<std::uint8_t>(bits >> 8); }
  bool smt() const { return bit(16); }
  bool must_be_one() const { return bit(17); }  // reserved; the firmware refuses a guest without it
  bool migration_agent() const { return bit(18); }
  bool debug() const { return bit(19); }
  bool single_socket() const { return bit(20); }
  bool bit(unsigned n) const { return (bits >> n & 1) != 0; }
  bool operator==(const SnpPolicy&) const = default;
};

struct SnpCpuid {
  std::uint8_t family = 0, model = 0, stepping = 0;
};
struct SnpFirmware {
  std::uint8_t major = 0, minor = 0, build = 0;
};

struct SnpReport {
  std::uint32_t version = 0;
  std::uint32_t guest_svn = 0;
  SnpPolicy policy;
  std::array<std::byte, 16> family_id{}, image_id{};
  std::uint32_t vmpl = 0;                 // 0 to 3; others: not asked for by the guest itself
  std::uint32_t signature_algorithm = 0;  // 1: ECDSA P-384 with SHA-384
  SnpTcb current_tcb{}, reported_tcb{}, committed_tcb{}, launch_tcb{};
  std::uint64_t platform_info = 0;
  bool author_key = false;     // author_key_digest is that of a key
  bool mask_chip_key = false;  // the host keeps the firmware from signing with the chip's key
  std::uint32_t signer_bits = 0;
  std::array<std::byte, 64> data{};  // REPORT_DATA: what the guest wanted to have signed
  std::array<std::byte, 48> measurement{};
  std::array<std::byte, 32> host_data{};
  std::array<std::byte, 48> id_key_digest{}, author_key_digest{};
  std::array<std::byte, 32> report_id{}, report_id_ma{};  // the second: of the migration agent
  std::optional<SnpCpuid> cpuid;                          // version 3 and later
  std::array<std::byte, 64> chip_id{};                    // zeros: masked by the host
  SnpFirmware current_firmware, committed_firmware;
  std::uint64_t launch_mitigations = 0, current_mitigations = 0;  // version 5

  Bytes signed_bytes;                     // what the signature is over
  std::array<std::byte, 96> signature{};  // r and s, big-endian, 48 bytes each

  std::optional<SnpSigner> signer() const;  // nothing for values that mean no key
  bool chip_masked() const;
  bool has_migration_agent() const;
  ReportData report_data() const { return data; }
};

// Exactly one report. `corrupt` for another size, and where bytes that no signature covers are not
// zero as they must be; `unsupported` for versions other than 2, 3 and 5.
Result<SnpReport> parse_snp_report(ByteView bytes);

}  // namespace cloister::sign
