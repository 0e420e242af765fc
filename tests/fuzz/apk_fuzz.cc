// apk's installed database: every package has a name and a source, every path is absolute.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/packages/apk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const auto packages =
      manifest::parse_apk_installed(as_text(std::as_bytes(std::span(data, size))), Limits{});
  if (!packages) return 0;
  for (const auto& package : *packages) {
    if (package.name.empty() || package.source.empty()) std::abort();
    for (const std::string& path : package.files)
      if (!path.starts_with('/')) std::abort();
  }
  return 0;
}
