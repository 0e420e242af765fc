// Files of images, searched for private keys.
#include <cstdint>

#include "sign/found_key.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)sign::find_private_keys(std::as_bytes(std::span(data, size)));
  return 0;
}
