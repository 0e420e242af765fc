// Any file as collateral: recognised or not, and what is added is within its limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sign/quote/intel_collateral.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Limits limits;
  limits.collateral_files = 4;
  sign::IntelCollateral out;
  const auto known = sign::add_collateral(out, std::as_bytes(std::span(data, size)), limits);
  const std::size_t parts = out.certificates.size() + out.revocation_lists.size() +
                            out.tcb_infos.size() + out.identities.size();
  if (out.certificates.size() > 4 || out.revocation_lists.size() > 4 || out.tcb_infos.size() > 4 ||
      out.identities.size() > 4 || (known.has_value() && *known != (parts > 0)))
    std::abort();
  return 0;
}
