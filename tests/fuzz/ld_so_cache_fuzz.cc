// ld.so.cache of an image: any bytes; every entry has a name and an absolute path inside the file.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/closure/ld_so_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto cache = manifest::LdSoCache::parse(Bytes(bytes.begin(), bytes.end()));
  if (!cache) return 0;
  if (cache->size() > size / 24) std::abort();
  for (const char* name : {"liba.so.1", "libb.so.1", ""})
    for (const auto& entry : cache->find(name))
      if (!entry.path.starts_with('/') || entry.path.size() > size || *name == '\0') std::abort();
  return 0;
}
