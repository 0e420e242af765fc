// --format templates: the first line is the template, the rest the document it is filled from.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cmd/template.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string json(text.substr(std::min(end + 1, text.size())));
  const auto filled = cmd::fill_template(text.substr(0, end), json, Limits());
  if (filled.has_value() && !filled->ends_with('\n')) std::abort();
  return 0;
}
