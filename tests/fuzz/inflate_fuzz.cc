// Compressed bytes, arriving whole or in small pieces: the inflater answers within the limits of
// deflate and zstd, and says the same however the bytes arrive. The first byte picks the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/inflate.h"
#include "base/limits.h"
#include "tests/base/pieces_source.h"

namespace {

struct Outcome {
  bool ok = false;
  bool stopped = false;  // at our own bound, which depends on the pieces
  std::string bytes;
  bool operator==(const Outcome&) const = default;
};

Outcome inflate(cloister::ByteView input, std::size_t piece) {
  constexpr std::size_t kMax = 4U << 20;
  cloister::PiecesSource inner(input, piece);
  auto source = cloister::make_inflater(cloister::detect_compression(input), inner);
  Outcome out;
  cloister::Bytes buffer(32U << 10);
  while (out.bytes.size() <= kMax) {
    const auto n = source->read(buffer);
    if (!n.has_value()) return out;
    if (*n == 0) {
      out.ok = true;
      return out;
    }
    out.bytes += cloister::as_text(cloister::ByteView(buffer).first(*n));
  }
  out.stopped = true;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(data + 1, size - 1));
  const Outcome whole = inflate(input, size);
  const Outcome pieces = inflate(input, 1 + data[0] % 64U);
  if (whole.stopped || pieces.stopped) return 0;
  // A failure may come before or after the bytes in front of it were handed out.
  if (whole.ok != pieces.ok || (whole.ok && whole.bytes != pieces.bytes)) std::abort();
  return 0;
}
