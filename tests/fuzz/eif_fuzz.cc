// Any bytes as an enclave image file: what is read is as large as it says, its header is written
// back the same in all that is not reserved, and other pieces of the same bytes change nothing.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "measure/nitro/eif.h"

namespace {

// One byte at a time.
class Trickle final : public cloister::Source {
 public:
  explicit Trickle(cloister::ByteView bytes) : rest_(bytes) {}
  cloister::Result<std::size_t> read(std::span<std::byte> out) override {
    if (rest_.empty()) return std::size_t{0};
    out.front() = rest_.front();
    rest_ = rest_.subspan(1);
    return std::size_t{1};
  }

 private:
  cloister::ByteView rest_;
};

}  // namespace

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
