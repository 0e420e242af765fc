// pyvenv.cfg, .pth, RECORD, entry_points.txt and an editable finder of an image.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "manifest-gen/runtimes/python/configuration.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  using namespace cloister::manifest::python;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  if (parse_pyvenv(text).home.size() > size) std::abort();
  for (const std::string& path : parse_pth(text).paths)
    if (path.empty() || path.find('\n') != std::string::npos) std::abort();
  for (const std::string& path : parse_record(text))
    if (path.empty() || path.find('\n') != std::string::npos) std::abort();
  for (const EntryPoint& point : parse_entry_points(text))
    if (point.module.empty()) std::abort();
  for (const std::string& directory : parse_editable_finder(text))
    if (directory.front() != '/') std::abort();
  return 0;
}
