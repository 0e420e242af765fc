// Python's scanner: any bytes, as text and as an extension module. Names are sorted, each once, not
// empty, and no longer than the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "measure/source/python.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  for (const auto& facts : {measure::source::scan_python(bytes, Limits{}),
                            measure::source::scan_python_extension(bytes, Limits{})}) {
    if (!std::is_sorted(facts.names.begin(), facts.names.end())) std::abort();
    if (std::adjacent_find(facts.names.begin(), facts.names.end()) != facts.names.end())
      std::abort();
    for (const std::string& name : facts.names)
      if (name.empty() || name.size() > 256) std::abort();
  }
  return 0;
}
