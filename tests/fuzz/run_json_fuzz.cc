// A run as JSON: what is read is written and read again as it was. And whether it is one at all.
#include <cstdint>

#include "base/bytes.h"
#include "manifest-gen/rehearse/logs/log_format.h"
#include "tests/fuzz/logged_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  if (manifest::log_format(text) != manifest::LogFormat::run) return 0;
  const auto run = manifest::parse_run_json(text, Limits{}, "a run");
  if (run.has_value()) fuzz::check_run(*run);
  return 0;
}
