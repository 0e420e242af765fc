// The signature section of an enclave image file (aws-nitro-enclaves-image-format, README,
// "EifSectionSignature"): who signed, and PCR0 signed by that certificate's key. The section is no
// part of what it signs.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "measure/nitro/pcr.h"
#include "sign/nitro/cose_sign1.h"
#include "sign/nitro/eif_key.h"

namespace cloister::sign {

struct EifSignature {
  Certificate certificate;
  CoseSign1 cose;
  // What the payload says is signed.
  std::uint64_t register_index = 0;
  measure::nitro::Pcr register_value{};
  std::size_t others = 0;  // further entries of the section, which nobody looks at

  measure::nitro::Pcr pcr8() const { return measure::nitro::certificate_pcr(certificate.der()); }
};

// `corrupt` or `unsupported` for what AWS's tools do not write, `limit` above kEifMaxSignature.
Result<EifSignature> parse_eif_signature(ByteView section);

// Whether it is what the hypervisor asks for: PCR0 of this image, signed by the certificate's key.
// `policy` with what is not so. Whose certificate it is, is the caller's question (pcr8()), and
// whether its time has come or gone: nitro-cli starts no enclave then.
Status check_eif_signature(const EifSignature& signature, const measure::nitro::Pcr& pcr0);

// The section. `limit` when the certificate is too large for it.
Result<Bytes> make_eif_signature(const EifKey& key, const measure::nitro::Pcr& pcr0);
// What EifKey::sign is given by it: for a key that is elsewhere.
Bytes eif_signing_data(CoseAlgorithm algorithm, const measure::nitro::Pcr& pcr0);

}  // namespace cloister::sign
