// Any header value: parse_challenges answers within its bounds.
#include <cstdint>
#include <cstdlib>

#include "oci/registry/challenge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes as text
  const auto challenges = cloister::oci::parse_challenges(text);
  if (challenges.size() > 16) std::abort();
  for (const auto& challenge : challenges)
    if (challenge.scheme.empty() || challenge.params.size() > 32) std::abort();
  return 0;
}
