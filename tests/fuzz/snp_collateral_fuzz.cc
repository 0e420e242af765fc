// Any bytes as a file of AMD's certificates and lists: what is read can be asked everything.
#include <cstddef>
#include <cstdint>

#include "sign/quote/snp_collateral.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const Limits limits;
  sign::SnpCollateral found;
  const auto added = found.add(std::as_bytes(std::span(data, size)), limits);
  const bool any = !found.certificates.empty() || !found.lists.empty();
  if (any != (added.has_value() && *added)) __builtin_trap();
  for (const sign::Certificate& one : found.certificates) {
    (void)sign::chain_of(one, found.certificates, limits);
    for (const sign::RevocationList& list : found.lists)
      if (list.is_signed_by(one)) (void)list.revokes(one);
  }
  return 0;
}
