// Trap: the protected header is a byte string with CBOR in it, and what is signed is that string.
// We write it anew for the signature, so that a header encoded otherwise is refused when it is
// read.
#include "sign/nitro/cose_sign1.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sign/openssl.h"
#include "sign/quote/cbor.h"

namespace cloister::sign {
namespace {

constexpr std::uint64_t kAlgorithmLabel = 1;
constexpr std::byte kSign1Tag{0xd2};  // tag 18, which libcbor's decoder does not know

struct CoseRow {
  CoseAlgorithm algorithm;
  std::string_view name, curve;  // the curve by OpenSSL's name
  const char* hash;
  std::size_t coordinate;  // bytes
};
constexpr std::array<CoseRow, 3> kCoseRows = {{
    {CoseAlgorithm::es256, "ES256", "prime256v1", "SHA256", 32},
    {CoseAlgorithm::es384, "ES384", "secp384r1", "SHA384", 48},
    {CoseAlgorithm::es512, "ES512", "secp521r1", "SHA512", 66},
}};

const CoseRow& row_of(CoseAlgorithm algorithm) {
  for (const CoseRow& row : kCoseRows)
    if (row.algorithm == algorithm) return row;
  return kCoseRows.front();  // there are no others
}

Bytes protected_header(CoseAlgorithm algorithm) {
  CborWriter out;
  out.map(1);
  out.uint(kAlgorithmLabel);
  out.negative(static_cast<std::uint64_t>(-1 - static_cast<int>(algorithm)));
  return out.take();
}

std::optional<CoseAlgorithm> parse_protected(ByteView header) {
  for (const CoseRow& row : kCoseRows)
    if (std::ranges::equal(header, protected_header(row.algorithm))) return row.algorithm;
  return std::nullopt;
}

Bytes copied(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string_view cose_algorithm_name(CoseAlgorithm algorithm) {
  return row_of(algorithm).name;
}
const char* cose_hash(CoseAlgorithm algorithm) {
  return row_of(algorithm).hash;
}
std::size_t cose_signature_size(CoseAlgorithm algorithm) {
  return 2 * row_of(algorithm).coordinate;
}

std::optional<CoseAlgorithm> cose_algorithm_of(const Certificate& certificate) {
  const unsigned char* at = raw(certificate.spki().data());
  const PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(certificate.spki().size())));
  char curve[64] = {};
  std::size_t size = 0;
  const bool named = key && EVP_PKEY_is_a(key.get(), "EC") == 1 &&
                     EVP_PKEY_get_group_name(key.get(), curve, sizeof curve, &size) == 1;
  openssl_reason();  // empties the queue
  if (!named) return std::nullopt;
  for (const CoseRow& row : kCoseRows)
    if (row.curve == std::string_view(curve, size)) return row.algorithm;
  return std::nullopt;
}

Result<CoseSign1> parse_cose_sign1(ByteView bytes) {
  constexpr std::string_view kWhat = "a COSE signature";
  if (!bytes.empty() && bytes.front() == kSign1Tag) bytes = bytes.subspan(1);
  CborReader in(bytes);
  in.expect(CborKind::array, 4);
  const ByteView header = in.expect(CborKind::bytes).bytes;
  in.expect(CborKind::map, 0);
  CoseSign1 out;
  out.payload = copied(in.expect(CborKind::bytes).bytes);
  out.signature = copied(in.expect(CborKind::bytes).bytes);
  CL_CHECK(in.finish(kWhat));
  const auto algorithm = parse_protected(header);
  if (!algorithm)
    return Error::unsupported("a COSE signature has another protected header than ours")
        .detail("want the algorithm alone: ES256, ES384 or ES512");
  out.algorithm = *algorithm;
  if (out.signature.size() != cose_signature_size(*algorithm))
    return Error::corrupt(cat("a COSE signature by ", cose_algorithm_name(*algorithm), " has ",
                              out.signature.size(), " bytes"))
        .detail(cat("want ", cose_signature_size(*algorithm)));
  return out;
}

Bytes encode_cose_sign1(const CoseSign1& sign1) {
  CborWriter out;
  out.array(4);
  out.bytes(protected_header(sign1.algorithm));
  out.map(0);
  out.bytes(sign1.payload);
  out.bytes(sign1.signature);
  return out.take();
}

Bytes cose_signed_bytes(CoseAlgorithm algorithm, ByteView payload) {
  CborWriter out;
  out.array(4);
  out.text("Signature1");
  out.bytes(protected_header(algorithm));
  out.bytes({});  // no external data
  out.bytes(payload);
  return out.take();
}

bool is_signed_by(const CoseSign1& sign1, const Certificate& certificate) {
  return cose_algorithm_of(certificate) == sign1.algorithm &&
         certificate.verify_ecdsa(cose_signed_bytes(sign1.algorithm, sign1.payload),
                                  sign1.signature, cose_hash(sign1.algorithm));
}

}  // namespace cloister::sign
