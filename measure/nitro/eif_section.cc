#include "measure/nitro/eif_section.h"

#include <algorithm>

namespace cloister::measure::nitro {

Result<std::size_t> EifSectionSource::read(std::span<std::byte> out) {
  const auto ends = [] {
    return Error::corrupt("the enclave image ends before one of its sections does");
  };
  while (skip_ > 0) {
    const auto piece = out.first(std::min<std::uint64_t>(out.size(), skip_));
    CL_TRY(const std::size_t got, file_.read(piece));
    if (got == 0) return ends();
    skip_ -= got;
  }
  if (left_ == 0) return std::size_t{0};
  CL_TRY(const std::size_t got, file_.read(out.first(std::min<std::uint64_t>(out.size(), left_))));
  if (got == 0) return ends();
  left_ -= got;
  return got;
}

}  // namespace cloister::measure::nitro
