// Keys as cosign writes them, with any text for a body: nothing is spent but what the limits allow.
#include <cstdint>

#include "sign/sigstore_key.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView pem = std::as_bytes(std::span(data, size));
  if (sign::is_sigstore_key(pem)) (void)sign::open_sigstore_key(pem, Secret("secret"), "'k'");
  return 0;
}
