#include "cmd/attested_server.h"

#include "base/text.h"
#include "sign/quote/ra_tls.h"

namespace cloister::cmd {
namespace {

// For the connection, and again for the handshake.
constexpr std::chrono::seconds kConnectTimeout(15);

ServerVerdict no_evidence(std::string found) {
  return {{sign::failed_check("quote-evidence", std::move(found),
                              "an RA-TLS certificate: one that carries a quote")},
          {},
          {}};
}

}  // namespace

Result<AttestedServer> AttestedServer::create(Session& session, const std::string& address,
                                              const AttestationOptions& options,
                                              const ImageTrust& trust) {
  const auto to = net::parse_host_port(address);
  if (!to || to->host.empty())
    return Error::usage(cat(quote(address), " is no server"))
        .hint("want HOST:PORT, for example enclave.example:8443 or [::1]:8443");
  if (session.offline())
    return Error::conflict(cat("--offline forbids a connection to ", quote(address)))
        .hint("leave out --offline, or verify a quote from a file with --quote");
  AttestedServer out;
  out.cancel_ = session.cancel();
  out.limits_ = &session.limits();
  out.to_ = *to;
  if (const auto nonce = nonce_of(options))
    out.nonce_ = to_bytes(*nonce);
  else if (!options.report_data.empty())
    return Error::usage("the report data of an RA-TLS quote are the digest of its key")
        .hint("leave out --report-data, or ask for a nonce among the claims: nonce:TEXT");
  CL_TRY(sign::QuoteRules rules, quote_rules(options, trust));
  out.verifier_ = std::make_unique<QuoteVerifier>(session, options, std::move(rules));
  return out;
}

Result<AttestedServer::Connection> AttestedServer::connect(Seconds at) {
  CL_TRY(net::TlsConnection tls, net::TlsConnection::connect(to_, kConnectTimeout, cancel_));
  CL_TRY(ServerVerdict verdict, judge(tls.peer_certificate(), at));
  return Connection{std::move(tls), std::move(verdict)};
}

Result<sign::QuoteVerdict> AttestedServer::verify(const sign::Quote& quote, Seconds at) {
  const std::lock_guard lock(*verifying_);
  return verifier_->verify(quote, at);
}

Result<ServerVerdict> AttestedServer::judge(ByteView certificate, Seconds at) {
  auto parsed = sign::Certificate::parse_der(certificate);
  if (!parsed.has_value()) return no_evidence(parsed.error().what());
  auto evidence = sign::read_ra_tls(*parsed, *limits_);
  if (!evidence.has_value()) return no_evidence(evidence.error().what());
  auto quote = sign::parse_quote(evidence->quote, *limits_);
  if (!quote.has_value()) return no_evidence(quote.error().what());
  const sign::ReportData* bound = sign::report_data_of(*quote);
  if (bound == nullptr)
    return no_evidence(cat("the certificate holds a document of ",
                           sign::tee_subject(sign::tee_of(*quote)), ", which no key is bound to"));

  ServerVerdict out;
  CL_TRY(out.verdict, verify(*quote, at));
  out.checks.push_back(sign::passed_check(
      "quote-evidence",
      cat("a quote in the server's certificate (",
          evidence->standard ? "RA-TLS, CBOR" : "RA-TLS, Gramine's older form", ")")));
  out.checks.insert(out.checks.end(), out.verdict.checks.begin(), out.verdict.checks.end());
  const auto nonce = nonce_ ? std::optional<ByteView>(*nonce_) : std::nullopt;
  for (sign::Check& check : sign::check_ra_tls(*evidence, *parsed, *bound, nonce))
    out.checks.push_back(std::move(check));
  out.quote = std::move(*quote);
  return out;
}

}  // namespace cloister::cmd
