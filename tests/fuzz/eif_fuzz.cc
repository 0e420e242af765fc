// Any bytes as an enclave image file: what is read is as large as it says, its header is written
// back the same in all that is not reserved, and other pieces of the same bytes change nothing.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "measure/nitro/eif.h"
#include "tests/fuzz/trickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  using namespace cloister::measure;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (size >= nitro::kEifHeaderSize) {
    const auto header = nitro::parse_eif_header(bytes.first(nitro::kEifHeaderSize));
    if (header.has_value()) {
      const auto again = nitro::parse_eif_header(nitro::encode_eif_header(*header));
      if (!again.has_value() || *again != *header) __builtin_trap();
    }
  }
  const Limits limits;
  MemorySource whole(bytes);
  Trickle pieces(bytes);
  const auto eif = nitro::read_eif(whole, limits, "input");
  const auto same = nitro::read_eif(pieces, limits, "input");
  if (eif.has_value() != same.has_value()) __builtin_trap();
  if (!eif.has_value()) return 0;
  if (eif->size != size || eif->pcr0 != same->pcr0 || eif->pcr2 != same->pcr2) __builtin_trap();
  return 0;
}
