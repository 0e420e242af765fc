// RA-TLS: a TLS certificate whose key lives in an enclave, with the quote that says so in an
// extension. Two forms are in use. The standard one (TCG DICE, tagged evidence; "Interoperable
// RA-TLS" of the Confidential Computing Consortium) is CBOR: a quote, and claims whose digest is
// the quote's report data. Gramine's older one is the bare quote, whose report data are the key's
// digest.
//
// Dates, names and issuer of such a certificate prove nothing; anyone can copy its extension. What
// counts is that the quote names the key of *this* certificate, and that TLS proved that key.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/image/checks.h"
#include "sign/quote/certificate.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

struct RaTlsEvidence {
  bool standard = false;
  Bytes quote;
  // What the standard form claims.
  Bytes claims;                      // as they were serialised; empty in the older form
  std::uint64_t hash_algorithm = 0;  // IANA's named information registry: 1 SHA-256, 7 -384, 8 -512
  Bytes key_hash;                    // of the SubjectPublicKeyInfo
  std::optional<Bytes> nonce;
};

// The evidence in a certificate; when it has both forms, the standard one decides. `policy` when it
// has none; `corrupt` or `limit` for one that cannot be read.
Result<RaTlsEvidence> read_ra_tls(const Certificate& certificate, const Limits& limits);
// The value of the standard extension.
Result<RaTlsEvidence> parse_ra_tls_evidence(ByteView value, const Limits& limits);

// Whether the quote is about this certificate's key, whatever else it says:
//   quote-key          the claims name the digest of this certificate's key (standard form)
//   quote-report-data  the report data are the digest of the claims, or of the key (older form)
//   quote-nonce        the claims have this nonce; asked only when one is expected
// `report_data` is that of the quote in `evidence`, which is verified elsewhere.
std::vector<Check> check_ra_tls(const RaTlsEvidence& evidence, const Certificate& certificate,
                                const ReportData& report_data, std::optional<ByteView> nonce);

}  // namespace cloister::sign
