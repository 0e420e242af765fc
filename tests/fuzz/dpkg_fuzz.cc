// dpkg's status and lists: every package has a name and a source, every path is absolute.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/packages/dpkg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  if (const auto packages = manifest::parse_dpkg_status(text, Limits{}))
    for (const auto& package : *packages)
      if (package.name.empty() || package.source.empty()) std::abort();
  for (const auto& paths : {manifest::parse_dpkg_list(text), manifest::parse_md5sums(text)})
    for (const std::string& path : paths)
      if (!path.starts_with('/') || path.find('\n') != std::string::npos) std::abort();
  return 0;
}
