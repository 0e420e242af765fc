// Any bytes as the signature section of an enclave image file: reading and checking end, what is
// read as COSE is written back the same but for its tag, and none is over an image of zeros.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sign/nitro/eif_signature.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto cose = sign::parse_cose_sign1(bytes);
  if (cose.has_value()) {
    const auto again = sign::parse_cose_sign1(sign::encode_cose_sign1(*cose));
    if (!again.has_value() || again->payload != cose->payload ||
        again->signature != cose->signature || again->algorithm != cose->algorithm)
      __builtin_trap();
  }
  const auto parsed = sign::parse_eif_signature(bytes);
  if (!parsed.has_value()) return 0;
  if (sign::check_eif_signature(*parsed, {}).has_value()) __builtin_trap();
  (void)sign::check_eif_signature(*parsed, parsed->register_value);
  return 0;
}
