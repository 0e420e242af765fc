// What the Nitro Secure Module says of an enclave: platform configuration registers, SHA-384. Each
// of those that an image decides is extended once, from zero
// (aws-nitro-enclaves-image-format, README, "EIF Measurements").
#pragma once

#include "base/bytes.h"
#include "base/sha384.h"

namespace cloister::measure::nitro {

using Pcr = Digest384;

// SHA-384 of 48 zero bytes and `content`, which is the digest of what is measured.
Pcr extended(const Digest384& content);

// PCR8: who signed the image. `der` is the signing certificate.
Pcr certificate_pcr(ByteView der);

}  // namespace cloister::measure::nitro
