// A run as JSON, and anything else that `cloister learn` may be given: what is read is written and
// read again as it was.
#include <cstdint>

#include "base/bytes.h"
#include "manifest-gen/rehearse/log_format.h"
#include "tests/fuzz/logged_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const auto run = manifest::read_observed_run(text, {}, Limits{}, "a log");
  if (run.has_value()) fuzz::check_run(*run);
  return 0;
}
