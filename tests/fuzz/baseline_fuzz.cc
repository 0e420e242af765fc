#include "cmd/baseline.h"

#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)cloister::cmd::parse_baseline(text, cloister::Limits{}, "input");
  return 0;
}
