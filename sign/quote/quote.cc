#include "sign/quote/quote.h"

#include "sign/quote/encoding.h"

namespace cloister::sign {

Result<Quote> parse_quote(ByteView file, const Limits& limits) {
  CL_TRY(const Bytes bytes, decode_evidence(file, limits));
  ByteReader head(bytes);
  head.skip(sizeof(std::uint16_t));
  if (head.u16() != 0) {
    CL_TRY(EcdsaQuote quote, parse_ecdsa_quote(bytes));
    return Quote(std::move(quote));
  }
  CL_TRY(SnpReport report, parse_snp_report(bytes));
  return Quote(std::move(report));
}

TeeKind tee_of(const Quote& quote) {
  const auto* ecdsa = std::get_if<EcdsaQuote>(&quote);
  return ecdsa == nullptr ? TeeKind::snp : ecdsa->tee();
}

const ReportData& report_data_of(const Quote& quote) {
  const auto* ecdsa = std::get_if<EcdsaQuote>(&quote);
  return ecdsa == nullptr ? std::get<SnpReport>(quote).data : ecdsa->report_data();
}

}  // namespace cloister::sign
