// Any quote or report that is known, told apart by its bytes.
#pragma once

#include <variant>

#include "base/limits.h"
#include "base/result.h"
#include "sign/quote/ecdsa_quote.h"
#include "sign/quote/snp_report.h"

namespace cloister::sign {

using Quote = std::variant<EcdsaQuote, SnpReport>;

// From a file's bytes: raw, hex or base64 (encoding.h). An ECDSA quote has a 16-bit version and a
// key type that is not zero where a SEV-SNP report has a 32-bit version. Errors are those of the
// two parsers.
Result<Quote> parse_quote(ByteView file, const Limits& limits);

TeeKind tee_of(const Quote& quote);
const ReportData& report_data_of(const Quote& quote);

}  // namespace cloister::sign
