// Bytes as an encoded layer index. What decodes must encode to bytes that decode to the same.
#include <cstdint>
#include <cstdlib>

#include "measure/rootfs/rootfs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;  // NOLINT: a program of one function
  const auto index =
      measure::decode_layer_index(to_bytes(as_text(std::as_bytes(std::span(data, size)))), {});
  if (!index.has_value()) return 0;
  const auto again = measure::decode_layer_index(measure::encode_layer_index(*index), {});
  if (!again.has_value() || again->entries != index->entries || again->elfs != index->elfs ||
      again->pack != index->pack)
    std::abort();
  const auto shared = std::make_shared<const measure::LayerIndex>(std::move(*again));
  (void)measure::Rootfs::merge({{shared, nullptr}, {shared, nullptr}}, {});
  return 0;
}
