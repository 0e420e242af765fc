// Any text: both parsers agree on what is JSON; what they accept can be asked with every getter and
// written, and the canonical text is a fixed point.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes as text
  const cloister::Limits limits;
  const auto parsed = cloister::parse_json(text, limits, "input");
  const auto ordered = cloister::parse_ordered_json(text, limits, "input");
  if (parsed.has_value() != ordered.has_value()) std::abort();
  if (!parsed.has_value()) return 0;
  for (const char* key : {"a", "digest", "layers", ""}) {
    (void)cloister::get_string(*parsed, key);
    (void)cloister::get_int(*parsed, key);
    (void)cloister::get_bool(*parsed, key);
    (void)cloister::get_strings(*parsed, key);
    (void)cloister::get_string_map(*parsed, key);
    (void)cloister::get_array(*parsed, key);
    (void)cloister::get_object(*parsed, key);
  }
  (void)cloister::dump_json_pretty(*ordered);
  const std::string once = cloister::dump_json(*parsed);
  const auto again = cloister::parse_json(once, limits, "output");
  if (!again.has_value() || cloister::dump_json(*again) != once) std::abort();
  return 0;
}
