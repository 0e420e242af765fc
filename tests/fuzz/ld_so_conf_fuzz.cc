// ld.so.conf of an image: every line is a directory or an include, none is empty.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/closure/ld_so_conf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  for (const auto& line : manifest::parse_ld_so_conf(as_text(std::as_bytes(std::span(data, size)))))
    if (line.text.empty() || line.text.find('\n') != std::string::npos) std::abort();
  return 0;
}
