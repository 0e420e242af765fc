// Quotes by themselves: what one says, and whether it is genuine. Whether it is of an image is for
// verify --quote.
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/attestation.h"
#include "cmd/build_date.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/report/quote.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct QuoteOptions {
  CommonOptions common;
  AttestationOptions attestation;
  std::string file, at, format = "text";
  bool allow_debug = false;
};

Result<int> inspect_quote(const QuoteOptions& o) {
  CL_TRY(const sign::Quote quote, read_quote(o.file, Limits{}));
  CL_CHECK(write_result("", o.format == "json" ? quote_json(quote) : quote_text(quote)));
  return 0;
}

Result<int> verify_quote(const QuoteOptions& o, const Environment& env) {
  Seconds at = env.now;
  if (!o.at.empty()) {
    CL_TRY(at, build_date(o.at, env, std::nullopt));
  }
  sign::QuoteRules rules;
  rules.allow_debug = o.allow_debug;
  CL_TRY(rules, quote_rules(o.attestation, std::move(rules)));
  CL_TRY(const auto expected, expected_report_data(o.attestation));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const sign::Quote quote, read_quote(o.file, session->limits()));
  QuoteVerifier verifier(*session, o.attestation, std::move(rules));
  CL_TRY(const sign::QuoteVerdict verdict, verifier.verify(quote, at));
  QuoteReport report{o.file, quote, verdict, verdict.checks};
  report.checks.push_back(
      sign::check_session(sign::session_data_of(quote), expected, o.attestation.allow_unbound));
  CL_CHECK(write_result(
      "", o.format == "json" ? quote_verdict_json(report) : quote_verdict_text(report)));
  return report.verified() ? 0 : kExitPolicy;
}

CLI::App* add_quote_command(CLI::App& app, const std::string& name, const std::string& summary,
                            QuoteOptions& o) {
  CLI::App* sub = app.add_subcommand(name, summary);
  sub->add_option(
         "FILE", o.file,
         "SGX or TDX quote, SEV-SNP report, or attestation document of AWS Nitro: raw, in hex or "
         "base64 (/dev/stdin too)")
      ->required();
  add_format_option(*sub, o.format, {"text", "json"});
  return sub;
}

}  // namespace

Action add_quote(CLI::App& app) {
  auto o = std::make_shared<QuoteOptions>();
  app.require_subcommand(1);
  add_quote_command(app, "inspect", "What a quote says, unverified", *o);
  CLI::App* verify =
      add_quote_command(app, "verify", "Whether a quote is genuine, and made for you", *o);
  add_attestation_options(*verify, o->attestation);
  add_session_options(*verify, o->attestation);
  verify
      ->add_option("--at", o->at,
                   "Time for which the answer is wanted: YYYY-MM-DD or RFC 3339 (default: now)")
      ->type_name("TIME");
  verify->add_flag("--allow-debug", o->allow_debug,
                   "Accept a debug enclave, trust domain or guest, which hides nothing");
  add_network_options(*verify, o->common);
  return [o, verify](const Environment& env) {
    return verify->parsed() ? verify_quote(*o, env) : inspect_quote(*o);
  };
}

}  // namespace cloister::cmd
