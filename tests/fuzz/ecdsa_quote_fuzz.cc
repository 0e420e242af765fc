// Any bytes as a quote: reading and verifying end, and without collateral nothing is genuine.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sign/quote/verify_intel.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto quote = sign::parse_ecdsa_quote(bytes);
  if (!quote.has_value()) return 0;
  if (quote->signed_bytes.size() + quote->certification.size() > size) std::abort();
  const auto verdict = sign::verify_intel_quote(*quote, sign::IntelCollateral(), sign::IntelRoots(),
                                                sign::QuoteRules(), Seconds(), Limits());
  if (verdict.genuine() || verdict.status || verdict.report_data != quote->report_data())
    std::abort();
  return 0;
}
