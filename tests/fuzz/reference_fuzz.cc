// Any text is an image argument that is refused, or one that reads back to itself.
#include <cstdint>
#include <cstdlib>

#include "oci/documents/descriptor.h"
#include "oci/documents/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  if (const auto ref = oci::parse_image_ref(text); ref.has_value()) {
    const auto again = oci::parse_image_ref(ref->str());
    if (!again.has_value() || again->str() != ref->str()) std::abort();
  }
  if (const auto ref = oci::parse_registry_ref(text); ref.has_value()) {
    const auto again = oci::parse_registry_ref(ref->str());
    if (!again.has_value() || again->registry != ref->registry ||
        again->repository != ref->repository || again->tag != ref->tag ||
        again->digest != ref->digest || ref->name().size() > 255)
      std::abort();
  }
  if (const auto platform = oci::parse_platform(text); platform.has_value()) {
    const auto again = oci::parse_platform(platform->str());
    if (!again.has_value() || *again != *platform) std::abort();
  }
  return 0;
}
