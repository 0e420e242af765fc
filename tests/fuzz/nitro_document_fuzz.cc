// Any bytes as an attestation document of AWS Nitro: what is read keeps its signed part, and
// nothing is believed that AWS did not sign. And any bytes as the payload of one.
#include <cstddef>
#include <cstdint>

#include "sign/nitro/verify_document.h"

namespace {

void check(cloister::ByteView bytes) {
  using namespace cloister;
  const auto document = sign::parse_nitro_document(bytes, {});
  if (!document.has_value()) return;
  if (document->session_data().size() > 2) __builtin_trap();
  const auto verdict = sign::verify_nitro_document(
      *document, sign::NitroRoots::aws(), {}, Seconds(std::chrono::seconds(1'750'000'100)), {});
  if (verdict.genuine()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  check(bytes);
  sign::CoseSign1 around;
  around.payload.assign(bytes.begin(), bytes.end());
  around.signature.resize(sign::cose_signature_size(around.algorithm));
  check(sign::encode_cose_sign1(around));
  return 0;
}
