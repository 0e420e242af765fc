// What Intel says of a processor in its PCK certificate: the extension 1.2.840.113741.1.13.1 ("SGX
// PCK Certificate and Certificate Revocation List Profile Specification", table "SGX Extensions").
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "sign/quote/certificate.h"
#include "sign/quote/ecdsa_quote.h"

namespace cloister::sign {

struct PckExtension {
  ByteArray<16> ppid{};  // the processor's name
  std::array<std::uint8_t, 16> components{};
  std::uint16_t pcesvn = 0;
  ByteArray<16> cpusvn{};  // the components, as the processor has them
  ByteArray<2> pceid{};
  ByteArray<6> fmspc{};  // family, model, stepping, platform, custom SKU
};

// Strict DER: every part above has to be there, once, with its size. Parts that are not above
// (platform instance, configuration) are passed over. `corrupt` otherwise.
Result<PckExtension> parse_pck_extension(ByteView der);
// Of a certificate; `corrupt` when it has none.
Result<PckExtension> pck_extension(const Certificate& certificate);

}  // namespace cloister::sign
