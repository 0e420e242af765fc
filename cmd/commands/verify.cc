// Every check is made and shown, whatever the others say; exit 3 when one failed.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/attestation.h"
#include "cmd/attested_server.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/report/quote.h"
#include "cmd/report/verify.h"
#include "cmd/session.h"
#include "cmd/targets.h"
#include "cmd/verify_image.h"
#include "sign/image/guest_checks.h"
#include "sign/image/nitro_checks.h"

namespace cloister::cmd {
namespace {

struct VerifyOptions {
  CommonOptions common;
  ImageTrustOptions trust;
  AttestationOptions attestation;
  std::string image, tee, quote, connect, format = "text";
};

Status check_verify_usage(const VerifyOptions& o) {
  if (o.quote.empty() && o.connect.empty() && o.attestation.given())
    return Error::usage("options about a quote, but no quote")
        .hint("add --quote FILE, or --connect HOST:PORT");
  if (!o.connect.empty() && o.attestation.allow_unbound)
    return Error::usage("--allow-unbound with --connect")
        .hint("leave it out: the quote of a connection is bound to its key, or worth nothing");
  return {};
}

// What runs, against what the image holds.
void add_enclave_checks(const sign::Quote& quote, const ImageVerdict& image,
                        std::vector<sign::Check>& out) {
  const auto add = [&](std::vector<sign::Check> checks) {
    std::move(checks.begin(), checks.end(), std::back_inserter(out));
  };
  if (image.guest) {
    if (const auto* nitro = std::get_if<sign::NitroMeasurement>(&*image.guest))
      add(sign::check_quoted_nitro(quote, *nitro));
    else
      add(sign::check_quoted_guest(quote, std::get<sign::GuestMeasurement>(*image.guest)));
    return;
  }
  if (!image.sigstruct) {
    out.push_back(sign::failed_check("quote-image", "the image has no enclave to compare with",
                                     "an enclave-ready image"));
    return;
  }
  add(sign::check_quoted_enclave(quote, *image.sigstruct));
}

Status add_quote_checks(const VerifyOptions& o, Session& session, const ImageTrust& trust,
                        const ImageVerdict& image, VerifyReport& report) {
  CL_TRY(sign::QuoteRules rules, quote_rules(o.attestation, trust));
  CL_TRY(const auto expected, expected_report_data(o.attestation));
  CL_TRY(sign::Quote quote, read_quote(o.quote, session.limits()));
  QuoteVerifier verifier(session, o.attestation, std::move(rules));
  CL_TRY(sign::QuoteVerdict verdict, verifier.verify(quote, trust.at));
  report.checks.insert(report.checks.end(), verdict.checks.begin(), verdict.checks.end());
  report.checks.push_back(
      sign::check_session(sign::session_data_of(quote), expected, o.attestation.allow_unbound));
  add_enclave_checks(quote, image, report.checks);
  report.quote = std::move(quote);
  report.quote_verdict = std::move(verdict);
  return {};
}

Status add_server_checks(const VerifyOptions& o, Session& session, const ImageTrust& trust,
                         const ImageVerdict& image, VerifyReport& report) {
  CL_TRY(AttestedServer server, AttestedServer::create(session, o.connect, o.attestation, trust));
  CL_TRY(AttestedServer::Connection connection, server.connect(trust.at));
  ServerVerdict& verdict = connection.verdict;
  report.checks.insert(report.checks.end(), verdict.checks.begin(), verdict.checks.end());
  if (!verdict.quote) return {};
  add_enclave_checks(*verdict.quote, image, report.checks);
  report.quote = std::move(verdict.quote);
  report.quote_verdict = std::move(verdict.verdict);
  return {};
}

// "tee": a machine is no enclave, whoever signed it.
sign::Check target_check(const std::string& wanted, const ImageVerdict& image) {
  std::string found = image.sigstruct ? "sgx" : "none";
  if (image.guest) found = target_of(tee_of(*image.guest)).name;
  if (found == wanted) return sign::passed_check("tee", found);
  return sign::failed_check("tee", found, wanted);
}

Result<int> run_verify(const VerifyOptions& o, const Environment& env) {
  CL_CHECK(check_verify_usage(o));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const ImageTrust trust, load_trust(*session, o.trust));
  CL_TRY(ImageVerdict image, verify_image(*session, ref, trust, o.trust));
  if (!o.connect.empty()) CL_CHECK(require_quoting_server(image));

  VerifyReport report{image.name, image.digest, std::move(image.checks)};
  if (!o.tee.empty()) report.checks.push_back(target_check(o.tee, image));
  if (trust.policy)
    report.verdict = "This image is what its signer says, and the policy allows it.";
  if (!o.quote.empty()) CL_CHECK(add_quote_checks(o, *session, trust, image, report));
  if (!o.connect.empty()) CL_CHECK(add_server_checks(o, *session, trust, image, report));
  if (!o.quote.empty() || !o.connect.empty())
    report.verdict += " A genuine processor runs exactly this image.";
  CL_CHECK(write_result("", o.format == "json" ? verify_json(report) : verify_text(report)));
  return report.verified() ? 0 : kExitPolicy;
}

}  // namespace

Action add_verify(CLI::App& app) {
  auto o = std::make_shared<VerifyOptions>();
  app.add_option("IMAGE", o->image, "Image to verify")->required();
  add_trust_options(app, o->trust);
  {
    const OptionHeading trust(app, kHeadingTrust);
    add_wanted_target_option(app, o->tee);
  }
  OptionHeading heading(app, kHeadingQuote);
  auto* quote =
      app.add_option(
             "--quote", o->quote,
             "Quote, report or attestation document of what runs: is it genuine, and this image?")
          ->type_name("FILE");
  app.add_option("--connect", o->connect,
                 "Server that proves itself by RA-TLS: is it a genuine enclave, and this image?")
      ->type_name("HOST:PORT")
      ->excludes(quote);
  add_attestation_options(app, o->attestation);
  add_session_options(app, o->attestation);
  add_format_option(app, o->format, {"text", "json"});
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_verify(*o, env); };
}

}  // namespace cloister::cmd
