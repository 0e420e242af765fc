// Any bytes as an ID block, and as its authentication: what is read is written back the same, and
// checking ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sign/snp/id_block.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  sign::SnpIdBlock block;
  if (const auto parsed = sign::parse_snp_id_block(bytes); parsed.has_value()) {
    block = *parsed;
    if (!std::ranges::equal(sign::encode_snp_id_block(block), bytes)) __builtin_trap();
  }
  const auto auth = sign::parse_snp_id_auth(bytes);
  if (!auth.has_value()) return 0;
  if (!std::ranges::equal(sign::encode_snp_id_auth(*auth), bytes)) __builtin_trap();
  (void)sign::check_snp_id_auth(*auth, block);
  return 0;
}
