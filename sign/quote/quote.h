// Any quote or report that is known, told apart by its bytes.
#pragma once

#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "sign/nitro/attestation_document.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/snp_report.h"

namespace cloister::sign {

using Quote = std::variant<EcdsaQuote, SnpReport, NitroDocument>;

// From a file's bytes: raw, hex or base64 (encoding.h). An ECDSA quote has a 16-bit version and a
// key type that is not zero where a SEV-SNP report has a 32-bit version; a document of AWS Nitro
// begins with neither. Errors are those of the parsers.
Result<Quote> parse_quote(ByteView file, const Limits& limits);

TeeKind tee_of(const Quote& quote);
// What the enclave or guest put into it; null for a document of AWS Nitro, which has no such field.
const ReportData* report_data_of(const Quote& quote);
// The same, as a verifier compares it: report data, or the nonce and the user data of a document.
std::vector<ReportData> session_data_of(const Quote& quote);

}  // namespace cloister::sign
