// COSE_Sign1 (RFC 8152, 4.2) as AWS's Nitro tools write it: ECDSA, the algorithm alone in the
// protected header, nothing unprotected, no tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "sign/quote/certificate.h"

namespace cloister::sign {

// Each for one curve: P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512.
enum class CoseAlgorithm : std::int8_t { es256 = -7, es384 = -35, es512 = -36 };
std::string_view cose_algorithm_name(CoseAlgorithm algorithm);  // "ES256", "ES384", "ES512"
const char* cose_hash(CoseAlgorithm algorithm);                 // OpenSSL's name: "SHA384"
std::size_t cose_signature_size(CoseAlgorithm algorithm);       // bytes of r and s together

// What signatures by a certificate's key are; nothing for another kind of key or curve.
std::optional<CoseAlgorithm> cose_algorithm_of(const Certificate& certificate);

struct CoseSign1 {
  CoseAlgorithm algorithm = CoseAlgorithm::es384;
  Bytes payload;
  Bytes signature;  // r and s, big-endian, each as long as the curve's order
};

// A tag 18 before it is passed over, as AWS does. `corrupt` for what is not one, `unsupported` for
// another algorithm, and for a header with more in it: whoever reads it may have to obey it.
Result<CoseSign1> parse_cose_sign1(ByteView bytes);
Bytes encode_cose_sign1(const CoseSign1& sign1);

// What is signed: the Sig_structure (RFC 8152, 4.4).
Bytes cose_signed_bytes(CoseAlgorithm algorithm, ByteView payload);
// Whether it is signed by the key of this certificate, whose curve is the algorithm's.
bool is_signed_by(const CoseSign1& sign1, const Certificate& certificate);

}  // namespace cloister::sign
