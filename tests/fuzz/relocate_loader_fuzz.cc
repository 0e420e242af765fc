// The untrusted loader as a hostile ELF file: relocation answers for any bytes and changes no
// size.
#include <cstdint>
#include <cstdlib>

#include "manifest-gen/assemble/assemble.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(static_cast<const std::byte*>(static_cast<const void*>(data)), size);
  const auto once = manifest::relocate_loader(bytes, Limits());
  if (!once.has_value()) return 0;
  if (once->size() != size) std::abort();
  return 0;
}
