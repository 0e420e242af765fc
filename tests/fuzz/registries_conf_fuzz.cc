// Any text: parse_registries_conf answers, and what it accepts leads some names somewhere or is
// refused; a place that comes out is a name that a user could have written.
#include <cstdint>
#include <cstdlib>

#include "oci/registry/registries_conf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister::oci;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes as text
  const auto rules = parse_registries_conf(text, cloister::Limits(), "input");
  if (!rules.has_value()) return 0;
  for (const char* name : {"redis", "r.io/ns/app:1", "a.example.com:5000/x/y/z:2"}) {
    const auto ref = parse_registry_ref(name);
    const auto sources = pull_sources(*rules, *ref);
    if (!sources.has_value()) continue;
    if (sources->empty()) std::abort();
    for (const PullSource& source : *sources)
      if (!parse_registry_ref(source.ref.str()).has_value()) std::abort();
  }
  return 0;
}
