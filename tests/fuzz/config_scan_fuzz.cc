// A configuration file of an image: words come from the text, none is longer than it.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/runtimes/config_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  std::size_t bytes = 0;
  for (const auto& directive :
       manifest::scan_config(as_text(std::as_bytes(std::span(data, size))))) {
    bytes += directive.name.size();
    for (const std::string& word : directive.words) bytes += word.size();
  }
  if (bytes > size) std::abort();
  return 0;
}
