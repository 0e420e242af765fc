// Certificates, revocation lists and PCK extensions, in DER and PEM.
#include <cstddef>
#include <cstdint>

#include "sign/quote/pck.h"

using namespace cloister;

namespace {

void look_at(const sign::Certificate& one, const Limits& limits) {
  (void)one.is_signed_by(one);
  (void)one.verify_ecdsa(one.der(), one.spki(), "SHA256");
  (void)sign::pck_extension(one);
  (void)sign::chain_of(one, {one}, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const Limits limits;
  const auto one = sign::Certificate::parse_der(bytes);
  if (one.has_value()) look_at(*one, limits);
  const auto chain = sign::Certificate::parse_pem(as_text(bytes), limits);
  if (chain.has_value())
    for (const auto& certificate : *chain) look_at(certificate, limits);
  const auto list = sign::RevocationList::parse_der(bytes);
  if (list.has_value() && one.has_value()) __builtin_trap();  // no bytes are both
  (void)sign::parse_pck_extension(bytes);
  return 0;
}
