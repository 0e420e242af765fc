// strace's output: whatever it is, every path is absolute and normal, and the run comes back from
// JSON as it was.
#include <cstdint>

#include "base/bytes.h"
#include "manifest-gen/rehearse/logs/strace_log.h"
#include "tests/fuzz/logged_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  Limits limits;
  limits.log_tasks = 64;
  limits.observed_paths = 256;
  manifest::StraceReader reader(manifest::LogContext{"/start"}, limits);
  if (fuzz::feed_lines(reader, as_text(std::as_bytes(std::span(data, size)))))
    fuzz::check_run(reader.finish());
  return 0;
}
