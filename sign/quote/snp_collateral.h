// What proves that a SEV-SNP report is genuine, as it comes: certificates and revocation lists from
// AMD's key distribution service (DER; chains as PEM), and the certificate table that a host hands
// to its guest beside the report (GHCB specification, extended guest request).
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/quote/certificate.h"

namespace cloister::sign {

// In any order, of any product: the verifier picks what belongs to the report.
struct SnpCollateral {
  std::vector<Certificate> certificates;  // ARK, ASK or ASVK, VCEK or VLEK
  std::vector<RevocationList> lists;

  // Takes what the bytes of a file hold, by contents and not by name: PEM text with certificates
  // and lists, one of either in DER, or a certificate table. False when it is none of these.
  // `corrupt` for PEM text that cannot be read; `limit` above limits.certificates in one file or
  // limits.collateral_files in all.
  Result<bool> add(ByteView file, const Limits& limits);
};

}  // namespace cloister::sign
