// DSSE envelopes and the bundles around them, as anyone may attach them to an image.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "sign/image/bundle.h"
#include "sign/image/dsse.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto envelope = sign::parse_dsse(text, Limits());
  if (envelope.has_value() &&
      sign::pre_authentication_encoding(envelope->payload_type, envelope->payload).size() <
          envelope->payload.size())
    std::abort();
  (void)sign::parse_bundle(text, Limits());
  return 0;
}
