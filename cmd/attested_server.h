// A server that proves by RA-TLS what it is: a TLS connection whose certificate carries a quote,
// and what that quote is worth.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/net/tls_connection.h"
#include "cmd/attestation.h"
#include "cmd/session.h"
#include "cmd/verify_image.h"

namespace cloister::cmd {

struct ServerVerdict {
  // "quote-evidence" (the certificate has a quote that can be read), then those of the quote, then
  // those that bind it to the key of this connection (sign/quote/ra_tls.h).
  std::vector<sign::Check> checks;
  std::optional<sign::Quote> quote;  // nothing when the certificate has none
  sign::QuoteVerdict verdict;        // with `quote`
};

// Thread-safe: collateral is loaded once, by whoever comes first.
class AttestedServer {
 public:
  // `usage` for an address that is none, or report data that an RA-TLS quote cannot have: there
  // they are the digest of the key, so that only nonce:TEXT can be asked for, as a claim.
  static Result<AttestedServer> create(Session& session, const std::string& address,
                                       const AttestationOptions& options, const ImageTrust& trust);

  struct Connection {
    net::TlsConnection tls;
    ServerVerdict verdict;
  };
  // A connection of its own each time, judged before it is given out as of `at`: nothing has been
  // sent on it. Errors are those of the network and of collateral; a server that proves nothing is
  // an answer.
  Result<Connection> connect(Seconds at);
  // The same proof at another time: collateral runs out while a connection lasts.
  Result<sign::QuoteVerdict> verify(const sign::Quote& quote, Seconds at);
  std::string address() const { return to_.str(); }

 private:
  AttestedServer() = default;
  Result<ServerVerdict> judge(ByteView certificate, Seconds at);

  CancelToken cancel_;
  const Limits* limits_ = nullptr;
  net::HostPort to_;
  std::optional<Bytes> nonce_;
  std::unique_ptr<std::mutex> verifying_ = std::make_unique<std::mutex>();
  std::unique_ptr<QuoteVerifier> verifier_;
};

}  // namespace cloister::cmd
