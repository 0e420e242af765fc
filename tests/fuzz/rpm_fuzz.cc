// rpm's SQLite database, and one header: the readers end, and every package has a name.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/packages/rpm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (const auto packages = manifest::parse_rpm_database(bytes, Limits{}))
    for (const auto& package : *packages)
      if (package.name.empty()) std::abort();
  if (const auto package = manifest::parse_rpm_header(bytes, Limits{}))
    for (const std::string& path : package->files)
      if (!path.starts_with('/')) std::abort();
  return 0;
}
