// Archives of Java classes: whatever they claim about sizes and offsets.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "measure/source/jar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const auto facts = measure::source::scan_jar(std::as_bytes(std::span(data, size)), Limits{});
  if (!std::is_sorted(facts.names.begin(), facts.names.end())) std::abort();
  return 0;
}
