// Debian packages: ar, control file, tar. Whatever the bytes, indexing answers, and what it indexed
// can be asked for again.
#include <cstdint>

#include "measure/runtime/deb.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Limits limits;
  limits.blob_bytes = limits.layer_bytes = 4 << 20;
  const ByteView bytes(static_cast<const std::byte*>(static_cast<const void*>(data)), size);
  const auto layer = measure::index_package(
      [bytes]() -> Result<std::unique_ptr<Source>> {
        return std::unique_ptr<Source>(std::make_unique<MemorySource>(bytes));
      },
      "'fuzz.deb'", limits);
  if (!layer.has_value()) return 0;
  for (const auto& entry : layer->index->entries)
    if (entry.type == measure::FileType::regular) (void)layer->content->read(entry, 1 << 20);
  return 0;
}
