// What Intel's quoting enclaves are (Intel's PCS API, "enclave identity", version 2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "sign/quote/collateral_json.h"

namespace cloister::sign {

enum class EnclaveId : std::uint8_t { qe, td_qe, qve };
std::string_view enclave_id_name(EnclaveId id);  // "QE", "TD_QE", "QVE"

struct QeIdentity {
  EnclaveId id = EnclaveId::qe;
  Seconds issue_date{}, next_update{};
  std::uint32_t evaluation = 0;             // tcbEvaluationDataNumber
  ByteArray<4> misc_select{}, misc_mask{};  // as they lie in a report
  ByteArray<16> attributes{}, attributes_mask{};
  Digest mrsigner;
  std::uint16_t isvprodid = 0;
  std::vector<IsvLevel> levels;  // the best first
};

// The signed text; errors as of parse_tcb_info. Another id or version is `unsupported`.
Result<QeIdentity> parse_qe_identity(std::string_view body, const Limits& limits);

// What of the report is not as the identity says, its SVN aside; nothing when all is.
std::optional<std::string> identity_mismatch(const QeIdentity& identity, const SgxReport& report);

}  // namespace cloister::sign
