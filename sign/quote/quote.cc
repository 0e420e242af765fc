#include "sign/quote/quote.h"

#include "sign/quote/encoding.h"

namespace cloister::sign {

Result<Quote> parse_quote(ByteView file, const Limits& limits) {
  CL_TRY(const Bytes bytes, decode_evidence(file, limits));
  if (looks_like_nitro_document(bytes)) {
    CL_TRY(NitroDocument document, parse_nitro_document(bytes, limits));
    return Quote(std::move(document));
  }
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
  if (const auto* ecdsa = std::get_if<EcdsaQuote>(&quote)) return ecdsa->tee();
  return std::holds_alternative<SnpReport>(quote) ? TeeKind::snp : TeeKind::nitro;
}

const ReportData* report_data_of(const Quote& quote) {
  if (const auto* ecdsa = std::get_if<EcdsaQuote>(&quote)) return &ecdsa->report_data();
  const auto* report = std::get_if<SnpReport>(&quote);
  return report == nullptr ? nullptr : &report->data;
}

std::vector<ReportData> session_data_of(const Quote& quote) {
  if (const auto* document = std::get_if<NitroDocument>(&quote)) return document->session_data();
  return {*report_data_of(quote)};
}

}  // namespace cloister::sign
