// Any text as a manifest: what passes as final must also tell the enclave's parameters.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/gramine/enclave_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  for (const auto strictness : {manifest::Strictness::signer, manifest::Strictness::loader})
    (void)manifest::parse_size(text, strictness);
  auto table = parse_toml(text, Limits(), "manifest");
  if (!table.has_value()) return 0;
  const manifest::EnclaveManifest parsed{std::move(*table)};
  (void)manifest::validate(parsed, manifest::Strictness::signer);
  const bool final = manifest::validate(parsed, manifest::Strictness::loader).has_value();
  std::vector<std::string> warnings;
  const auto params = manifest::enclave_params(parsed, &warnings);
  if (final && (!params.has_value() || !warnings.empty())) __builtin_trap();
  return 0;
}
