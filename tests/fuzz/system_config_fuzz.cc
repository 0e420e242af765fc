// Any text as nsswitch.conf, openssl.cnf and a file of pam.d: names that become parts of paths
// have no '/' where none may be.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "manifest-gen/closure/nsswitch.h"
#include "manifest-gen/closure/openssl_config.h"
#include "manifest-gen/closure/pam_services.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  for (const auto& [database, services] : manifest::parse_nsswitch(text))
    for (const std::string& service : services)
      if (service.empty() || service.find('/') != std::string::npos) __builtin_trap();
  for (const std::string& name : manifest::parse_openssl_config(text).includes)
    if (name.empty()) __builtin_trap();
  const manifest::PamService service = manifest::parse_pam_service(text);
  for (const std::string& name : service.includes)
    if (name.empty() || name.find('/') != std::string::npos) __builtin_trap();
  for (const std::string& name : service.modules)
    if (name.find('/') != std::string::npos && !name.starts_with('/')) __builtin_trap();
  return 0;
}
