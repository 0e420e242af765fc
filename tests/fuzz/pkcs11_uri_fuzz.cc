// PKCS#11 URIs of any bytes: what parses names an object, and its PIN stays out of that name.
#include <cstdint>
#include <cstdlib>

#include "sign/pkcs11/uri.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto uri = sign::parse_pkcs11_uri(text);
  if (uri.has_value() &&
      (!text.starts_with(uri->object) || uri->object.find('?') != std::string::npos))
    std::abort();
  return 0;
}
