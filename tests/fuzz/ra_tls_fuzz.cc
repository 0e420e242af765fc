// Any bytes as the evidence in an RA-TLS certificate, and as the certificate itself: what is read
// is a part of them, and binds no key by chance.
#include <cstddef>
#include <cstdint>

#include "sign/quote/ra_tls.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const Limits limits;
  const auto evidence = sign::parse_ra_tls_evidence(bytes, limits);
  if (evidence.has_value() && evidence->quote.size() + evidence->claims.size() > size)
    __builtin_trap();
  const auto certificate = sign::Certificate::parse_der(bytes);
  if (!certificate.has_value()) return 0;
  const auto read = sign::read_ra_tls(*certificate, limits);
  if (!read.has_value()) return 0;
  for (const sign::Check& check : sign::check_ra_tls(*read, *certificate, {}, std::nullopt))
    if (check.name == "quote-report-data" && check.passed) __builtin_trap();
  return 0;
}
