// Program text of R: names are sorted, and each has its kind in front.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "measure/source/r.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const auto facts = measure::source::scan_r(std::as_bytes(std::span(data, size)), Limits{});
  if (!std::is_sorted(facts.names.begin(), facts.names.end())) std::abort();
  for (const std::string& name : facts.names)
    if (name.find(':') == std::string::npos) std::abort();
  return 0;
}
