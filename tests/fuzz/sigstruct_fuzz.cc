// Any bytes as a SIGSTRUCT: what is read is written back the same, and checking ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sign/sgx/sigstruct.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto parsed = sign::parse_sigstruct(bytes);
  if (!parsed.has_value()) return 0;
  const Bytes again = sign::encode_sigstruct(*parsed);
  if (!std::equal(bytes.begin(), bytes.end(), again.begin(), again.end())) __builtin_trap();
  (void)sign::check_sigstruct(*parsed);
  return 0;
}
