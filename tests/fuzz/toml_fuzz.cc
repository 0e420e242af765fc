// Any text: parse_toml answers; what it accepts is written and read back as the same value, unless
// it nests too deeply to be an element of what we write.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/toml.h"

namespace {

// emit_toml REQUIRES strings without NUL, which TOML can spell and NaN equals nothing.
bool has_nul_or_nan(const cloister::TomlValue& value);

bool has_nul_or_nan(const cloister::TomlTable& table) {
  for (const auto& [key, value] : table)
    if (key.find('\0') != std::string::npos || has_nul_or_nan(value)) return true;
  return false;
}

bool has_nul_or_nan(const cloister::TomlValue& value) {
  if (const auto* s = value.string()) return s->find('\0') != std::string::npos;
  if (const auto* d = value.as<double>()) return *d != *d;
  if (const auto* t = value.table()) return has_nul_or_nan(*t);
  if (const auto* a = value.array())
    for (const auto& item : *a)
      if (has_nul_or_nan(item)) return true;
  return false;
}

// Empty tables are not written at the top, so what is read back may lack them.
bool has_empty_table(const cloister::TomlTable& table) {
  if (table.empty()) return true;
  for (const auto& [key, value] : table)
    if (value.table() != nullptr && has_empty_table(*value.table())) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes as text
  const cloister::Limits limits;
  const auto parsed = cloister::parse_toml(text, limits, "input");
  if (!parsed.has_value() || has_nul_or_nan(*parsed)) return 0;
  const std::string emitted = cloister::emit_toml(*parsed);
  if (has_empty_table(*parsed)) return 0;
  cloister::Limits roomy;
  roomy.toml_depth = 2 * limits.toml_depth;
  const auto again = cloister::parse_toml(emitted, roomy, "output");
  if (!again.has_value() || !(*again == *parsed)) std::abort();
  return 0;
}
