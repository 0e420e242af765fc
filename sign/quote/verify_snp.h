// Whether a SEV-SNP report is genuine: signed by a key that AMD certifies for this chip (VCEK) or
// for this cloud (VLEK), at the firmware levels it reports (VCEK certificate and KDS interface
// specification, 57230; SEV-SNP firmware ABI, 56860).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "sign/quote/snp_collateral.h"
#include "sign/quote/snp_report.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

// Processors that share a root (ARK). Genoa includes Bergamo and Siena.
enum class SnpProduct : std::uint8_t { milan, genoa, turin };
std::string_view snp_product_name(SnpProduct product);  // "Milan", "Genoa", "Turin"

struct SnpRoot {
  SnpProduct product = SnpProduct::milan;
  Digest spki;  // SHA-256 of the ARK's SubjectPublicKeyInfo: certificates are re-issued, keys stay
};

struct SnpRoots {
  std::vector<SnpRoot> roots;

  static SnpRoots amd();
  // A root of one's own, named "ARK-Milan", "ARK-Genoa" or "ARK-Turin"; `unsupported` otherwise.
  static Result<SnpRoot> of(const Certificate& ark);
};

// Checks, in this order: quote-format, quote-chain, quote-dates, quote-revocation, quote-signature,
// quote-platform, quote-tcb, quote-debug, quote-migration. Without a chain to a root the questions
// that need one are not asked.
//
// Revocation: AMD's lists name intermediate keys only (a VCEK has no serial number), and the
// verifier brings the collateral, not the one who is verified. So a missing list is no failure
// unless rules.require_revocation is set, and quote-revocation says that nothing was looked up; a
// list that is there must be authentic, and one of the given time.
QuoteVerdict verify_snp_report(const SnpReport& report, const SnpCollateral& collateral,
                               const SnpRoots& roots, const QuoteRules& rules, Seconds at,
                               const Limits& limits);

}  // namespace cloister::sign
