// Any file as a quote in one of its encodings: it is read within its limit, and what was written in
// hex or base64 comes back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "sign/quote/encoding.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  Limits limits;
  limits.quote_bytes = 4096;
  const auto decoded = sign::decode_evidence(bytes, limits);
  if (!decoded.has_value()) return 0;
  if (decoded->empty() || decoded->size() > limits.quote_bytes) std::abort();
  const auto again = sign::decode_evidence(as_bytes(cat("0x", hex(*decoded))), limits);
  if (!again.has_value() || *again != *decoded) std::abort();
  return 0;
}
