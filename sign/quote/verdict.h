// What a verified quote says: every question by itself, and what the hardware vouches for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "sign/image/checks.h"

namespace cloister::sign {

enum class TeeKind : std::uint8_t { sgx, tdx, snp, nitro };
std::string_view tee_name(TeeKind kind);     // "sgx", "tdx", "snp", "nitro"
std::string_view tee_subject(TeeKind kind);  // "an SGX enclave": what its quotes are of

// What the manufacturer says of the platform's firmware (Intel's names). SEV-SNP has no such list:
// there a report is as new as its TCB version, which has a minimum or none.
enum class TcbStatus : std::uint8_t {
  up_to_date,
  sw_hardening_needed,
  configuration_needed,
  configuration_and_sw_hardening_needed,
  td_relaunch_advised,
  td_relaunch_advised_configuration_needed,
  out_of_date,
  out_of_date_configuration_needed,
  revoked,
};
std::string_view tcb_status_name(TcbStatus status);                // "UpToDate", …
std::optional<TcbStatus> parse_tcb_status(std::string_view name);  // exact spelling

using ReportData = std::array<std::byte, 64>;

// What is asked of a quote, whatever the image.
struct QuoteRules {
  std::vector<TcbStatus> statuses = {TcbStatus::up_to_date, TcbStatus::sw_hardening_needed};
  // Nothing: any advisory that comes with an accepted status. Otherwise every advisory of the
  // platform must be one of these.
  std::optional<std::vector<std::string>> advisories;
  std::optional<std::uint32_t> min_tcb_evaluation;  // tcbEvaluationDataNumber (Intel)
  std::optional<std::uint64_t> min_tcb;             // reported TCB (SEV-SNP), each byte a minimum
  std::vector<std::string> fmspcs;                  // 12 hex digits, lower case; empty: any (Intel)
  std::vector<std::string> products;  // "Milan", "Genoa", "Turin"; empty: any (SEV-SNP)
  bool allow_debug = false;
  bool allow_migration = false;     // a guest that a migration agent may move (SEV-SNP)
  bool require_revocation = false;  // fail without a revocation list (SEV-SNP; Intel: always)
};

// The checks of an Intel quote (those of a SEV-SNP report: verify_snp.h; of a document of AWS
// Nitro:
// ../nitro/verify_document.h):
//
//   quote-format          what it is
//   quote-chain           the CPU's key (PCK) is certified under the root
//   quote-collateral      what is needed to judge it is there, for this platform, properly signed
//   quote-revocation      no certificate of it is revoked
//   quote-dates           certificates, lists and documents are valid at the time asked for
//   quote-qe              the CPU vouches for the quoting enclave, and that for the quote's key
//   quote-qe-identity     the quoting enclave is Intel's
//   quote-signature       the quote is as the quoting enclave signed it
//   quote-tcb             Intel's word on the platform's firmware is an accepted one
//   quote-advisories      every advisory is an accepted one (when asked)
//   quote-tcb-evaluation  TCB info and identity are new enough (when asked)
//   quote-platform        the platform's FMSPC is an accepted one (when asked)
//   quote-debug           a production enclave or trust domain
struct QuoteVerdict {
  TeeKind tee = TeeKind::sgx;
  // In the order in which a verifier asks; names begin with "quote-". A quote is genuine when all
  // passed. A question that could not be asked because one before it failed is not in the list.
  std::vector<Check> checks;
  std::optional<TcbStatus> status;  // Intel, when it got that far
  std::vector<std::string> advisories;
  std::optional<std::uint32_t> tcb_evaluation;
  std::string platform;                // for people: "Intel, FMSPC 00a067110000"; "AMD Milan, VCEK"
  std::optional<Seconds> valid_until;  // when the first part of the collateral expires
  ReportData report_data{};

  bool genuine() const { return all_passed(checks); }
  // Adds an answer, and gives it back; `expected` counts when it is no.
  bool answer(std::string_view name, bool passed, std::string found, std::string expected);
};

}  // namespace cloister::sign
