#include "cmd/attestation.h"

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/hint.h"
#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

constexpr Advice kQuoteAdvice{
    "take the quote anew; it has to be complete and unchanged",
    "a quote has a few thousand bytes; is this one?",
    "cloister reads SGX quotes (version 3), TDX quotes (4, 5), SEV-SNP reports (2, 3, 5) and "
    "attestation documents of AWS Nitro, raw, in hex or base64"};

// One's own root in place of AMD's: what it is for stands in its name.
Result<sign::SnpRoots> load_snp_roots(const CollateralOptions& options, const Limits& limits) {
  CL_TRY(const auto given, load_roots(options, limits));
  if (given.empty()) return sign::SnpRoots::amd();
  sign::SnpRoots roots;
  for (const sign::Certificate& one : given) {
    CL_TRY(sign::SnpRoot root, sign::SnpRoots::of(one));
    roots.roots.push_back(std::move(root));
  }
  return roots;
}

}  // namespace

bool AttestationOptions::given() const {
  return !collateral.paths.empty() || !collateral.root.empty() || !statuses.empty() ||
         min_tcb_evaluation || !report_data.empty() || allow_unbound;
}

CLI::Option* add_report_data_option(CLI::App& app, AttestationOptions& options,
                                    const std::string& description) {
  OptionHeading heading(app, kHeadingQuote);
  return app.add_option("--report-data", options.report_data, description)
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.empty() ? std::string("what is expected is empty") : std::string();
          },
          "", ""));
}

void add_session_options(CLI::App& app, AttestationOptions& options) {
  add_report_data_option(
      app, options,
      "What the quote must hold as proof that it was made for you: up to 64 bytes as HEX, a FILE "
      "with them, or nonce:TEXT (as it is, or its SHA-256 or SHA-512)")
      ->type_name("HEX|FILE|nonce:TEXT");
  OptionHeading heading(app, kHeadingQuote);
  app.add_flag("--allow-unbound", options.allow_unbound,
               "Accept a quote without --report-data, which anyone may have recorded");
}

void add_attestation_options(CLI::App& app, AttestationOptions& options) {
  add_collateral_options(app, options.collateral);
  OptionHeading heading(app, kHeadingQuote);
  app.add_option("--accept-tcb", options.statuses,
                 "Status of the platform's firmware to accept, as Intel calls it (repeatable; "
                 "default: UpToDate, SWHardeningNeeded)")
      ->type_name("STATUS")
      ->delimiter(',')
      ->expected(1)
      ->take_all();
  app.add_option("--min-tcb-eval", options.min_tcb_evaluation,
                 "Lowest tcbEvaluationDataNumber to accept: refuses collateral that is rolled back")
      ->type_name("N");
}

Result<sign::QuoteRules> quote_rules(const AttestationOptions& options, sign::QuoteRules rules) {
  if (!options.statuses.empty()) rules.statuses.clear();
  for (const std::string& name : options.statuses) {
    const auto status = sign::parse_tcb_status(name);
    if (!status || *status == sign::TcbStatus::revoked)
      return Error::usage(cat("--accept-tcb ", quote(name), " is no status that can be accepted"))
          .hint(
              "UpToDate, SWHardeningNeeded, ConfigurationNeeded, "
              "ConfigurationAndSWHardeningNeeded, OutOfDate, OutOfDateConfigurationNeeded, "
              "TDRelaunchAdvised, TDRelaunchAdvisedConfigurationNeeded");
    rules.statuses.push_back(*status);
  }
  if (options.min_tcb_evaluation) rules.min_tcb_evaluation = options.min_tcb_evaluation;
  return rules;
}

Result<sign::QuoteRules> quote_rules(const AttestationOptions& options, const ImageTrust& trust) {
  sign::QuoteRules rules = trust.policy ? trust.policy->policy.quote : sign::QuoteRules();
  rules.allow_debug = trust.pins.allow_debug;
  return quote_rules(options, std::move(rules));
}

std::optional<std::string_view> nonce_of(const AttestationOptions& options) {
  constexpr std::string_view kNonce = "nonce:";
  const std::string_view text = options.report_data;
  if (!text.starts_with(kNonce) || text.size() == kNonce.size()) return std::nullopt;
  return text.substr(kNonce.size());
}

Result<sign::ExpectedReportData> expected_report_data(const AttestationOptions& options) {
  const std::string& text = options.report_data;
  constexpr std::string_view kWant = "want 1 to 64 bytes: hex digits, a file, or nonce:TEXT";
  if (text.empty()) return sign::ExpectedReportData();
  if (const auto nonce = nonce_of(options)) return sign::report_data_of_nonce(*nonce);
  std::optional<Bytes> bytes = unhex(text);
  if (!bytes) {
    auto read = read_file(text, sizeof(sign::ReportData));
    if (!read.has_value())
      return Error::usage(cat("--report-data ", quote(text), ": ", read.error().what()))
          .hint(std::string(kWant));
    bytes = std::move(*read);
  }
  auto data = sign::padded_report_data(*bytes);
  if (!data.has_value())
    return Error::usage(cat("--report-data: ", data.error().what())).hint(std::string(kWant));
  return sign::ExpectedReportData{*data};
}

Result<sign::Quote> read_quote(const std::string& file, const Limits& limits) {
  // Hex takes twice the room, and line ends more.
  CL_TRY(const Bytes bytes,
         advise(read_file(file, 4 * limits.quote_bytes), kQuoteAdvice).while_("reading a quote"));
  return advise(sign::parse_quote(bytes, limits), kQuoteAdvice)
      .while_(cat("reading the quote ", quote(file)));
}

Result<sign::QuoteVerdict> QuoteVerifier::verify(const sign::Quote& quote, Seconds at) {
  if (const auto* ecdsa = std::get_if<sign::EcdsaQuote>(&quote)) return verify_intel(*ecdsa, at);
  if (const auto* report = std::get_if<sign::SnpReport>(&quote)) return verify_snp(*report, at);
  return verify_nitro(std::get<sign::NitroDocument>(quote), at);
}

Result<sign::QuoteVerdict> QuoteVerifier::verify_intel(const sign::EcdsaQuote& quote, Seconds at) {
  const Limits& limits = session_.limits();
  if (!intel_roots_) {
    CL_TRY(intel_roots_, load_intel_roots(options_.collateral, limits));
  }
  if (intel_) {
    auto verdict = sign::verify_intel_quote(quote, *intel_, *intel_roots_, rules_, at, limits);
    if (verdict.genuine() || options_.collateral.pccs.empty()) return verdict;
  }
  CL_TRY(intel_, load_intel_collateral(session_, options_.collateral, quote));
  return sign::verify_intel_quote(quote, *intel_, *intel_roots_, rules_, at, limits);
}

Result<sign::QuoteVerdict> QuoteVerifier::verify_snp(const sign::SnpReport& report, Seconds at) {
  const Limits& limits = session_.limits();
  if (!snp_roots_) {
    CL_TRY(snp_roots_, load_snp_roots(options_.collateral, limits));
  }
  if (!snp_) {
    sign::SnpCollateral read;
    CL_CHECK(read_collateral(options_.collateral, limits,
                             [&](ByteView bytes) { return read.add(bytes, limits); }));
    snp_ = std::move(read);
  }
  return sign::verify_snp_report(report, *snp_, *snp_roots_, rules_, at, limits);
}

// All that proves it comes with the document, but for the root.
Result<sign::QuoteVerdict> QuoteVerifier::verify_nitro(const sign::NitroDocument& document,
                                                       Seconds at) {
  const Limits& limits = session_.limits();
  if (!nitro_roots_) {
    CL_TRY(const auto given, load_roots(options_.collateral, limits));
    nitro_roots_ = given.empty() ? sign::NitroRoots::aws() : sign::NitroRoots();
    for (const sign::Certificate& root : given) nitro_roots_->keys.push_back(sha256(root.spki()));
  }
  return sign::verify_nitro_document(document, *nitro_roots_, rules_, at, limits);
}

}  // namespace cloister::cmd
