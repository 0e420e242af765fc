// Signing data that comes back from elsewhere: what parses is written and read back as it is.
#include <cstdint>
#include <cstdlib>

#include "sign/image/signing_data.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = sign::parse_signing_data(text, Limits(), "'f'");
  if (!parsed.has_value()) return 0;
  const std::string once = sign::encode_signing_data(*parsed);
  const auto again = sign::parse_signing_data(once, Limits(), "'f'");
  if (!again.has_value() || sign::encode_signing_data(*again) != once) std::abort();
  return 0;
}
