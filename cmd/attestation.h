// What is asked of a quote, from the command line: where its proof comes from, what the platform
// may be like, and for whom the quote was made.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cmd/collateral.h"
#include "cmd/session.h"
#include "cmd/verify_image.h"
#include "sign/nitro/verify_document.h"
#include "sign/quote/quote.h"
#include "sign/quote/quote_checks.h"
#include "sign/quote/snp_collateral.h"
#include "sign/quote/verdict.h"
#include "sign/quote/verify_snp.h"

namespace cloister::cmd {

struct AttestationOptions {
  CollateralOptions collateral;
  std::vector<std::string> statuses;  // --accept-tcb; empty: those of QuoteRules
  std::optional<std::uint32_t> min_tcb_evaluation;
  std::string report_data;  // --report-data
  bool allow_unbound = false;
  // Whether one of these was given: they mean nothing without a quote.
  bool given() const;
};

void add_attestation_options(CLI::App& app, AttestationOptions& options);
// --report-data; whoever expands an empty variable there is told so.
CLI::Option* add_report_data_option(CLI::App& app, AttestationOptions& options,
                                    const std::string& description);
// The options that say what a session's quote must hold.
void add_session_options(CLI::App& app, AttestationOptions& options);

// `rules`, with what the options say in place of it. `usage` for a status that nobody knows.
Result<sign::QuoteRules> quote_rules(const AttestationOptions& options, sign::QuoteRules rules);
// The same from the policy, or the options, by which an image is trusted.
Result<sign::QuoteRules> quote_rules(const AttestationOptions& options, const ImageTrust& trust);

// TEXT of "nonce:TEXT"; nothing for other report data, and for an empty nonce.
std::optional<std::string_view> nonce_of(const AttestationOptions& options);

// --report-data: hex, a file, or nonce:TEXT; empty when it was not given.
Result<sign::ExpectedReportData> expected_report_data(const AttestationOptions& options);

Result<sign::Quote> read_quote(const std::string& file, const Limits& limits);

// A quote, judged by collateral that is loaded when the first one is seen and used for those that
// follow. What a PCCS has depends on the platform, and is renewed in time: a quote that is not
// genuine by what was fetched before is judged once more by what the service has for it now.
class QuoteVerifier {
 public:
  QuoteVerifier(Session& session, const AttestationOptions& options, sign::QuoteRules rules)
      : session_(session), options_(options), rules_(std::move(rules)) {}
  // Whether it is genuine; not for whom, nor what runs. Errors are those of reading collateral.
  Result<sign::QuoteVerdict> verify(const sign::Quote& quote, Seconds at);

 private:
  Result<sign::QuoteVerdict> verify_intel(const sign::EcdsaQuote& quote, Seconds at);
  Result<sign::QuoteVerdict> verify_snp(const sign::SnpReport& report, Seconds at);
  Result<sign::QuoteVerdict> verify_nitro(const sign::NitroDocument& document, Seconds at);
  Session& session_;
  const AttestationOptions& options_;
  sign::QuoteRules rules_;
  std::optional<sign::IntelRoots> intel_roots_;
  std::optional<sign::IntelCollateral> intel_;
  std::optional<sign::SnpRoots> snp_roots_;
  std::optional<sign::SnpCollateral> snp_;
  std::optional<sign::NitroRoots> nitro_roots_;
};

}  // namespace cloister::cmd
