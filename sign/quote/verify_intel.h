// Whether an Intel quote is genuine: from the platform's key up to Intel's root, from the quote
// down to the report, and what Intel says of the platform's firmware. The order is that of Intel's
// own verification library; nothing is fetched, and the time is the caller's.
#pragma once

#include <optional>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/time.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/intel_collateral.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

// The roots that are trusted, by the SHA-256 of their keys (SubjectPublicKeyInfo): certificates are
// re-issued. Intel's own unless others are put in its place.
struct IntelRoots {
  std::vector<Digest> spki;
  IntelRoots();
  explicit IntelRoots(std::vector<Digest> others) : spki(std::move(others)) {}
  bool are_intels() const;
};

// The checks are those that verdict.h names.
QuoteVerdict verify_intel_quote(const EcdsaQuote& quote, const IntelCollateral& collateral,
                                const IntelRoots& roots, const QuoteRules& rules, Seconds at,
                                const Limits& limits);

// The certificates in the quote itself; none when it only names the processor. `corrupt` when they
// cannot be read.
Result<std::vector<Certificate>> quote_certificates(const EcdsaQuote& quote, const Limits& limits);
// The PCK certificate among `candidates`: the one whose key signed the quoting enclave's report,
// else the first of that name; nothing when there is none. Who signed the certificate is not asked.
std::optional<Certificate> find_pck(const EcdsaQuote& quote,
                                    const std::vector<Certificate>& candidates);

// The two links of the quote itself. "quote-qe": `pck` signed the quoting enclave's report, which
// binds the attestation key. "quote-signature": that key signed the quote.
Check check_quoting_enclave(const EcdsaQuote& quote, const Certificate& pck);
Check check_quote_signature(const EcdsaQuote& quote);

}  // namespace cloister::sign
