// What one section of an enclave image file holds, as a stream.
#pragma once

#include <cstdint>

#include "base/stream.h"
#include "measure/nitro/eif_header.h"

namespace cloister::measure::nitro {

// `file` is at its beginning, and outlives this. Nothing is checked but that the section is there
// (`corrupt` otherwise): read_eif() gives extents of a file that was checked.
class EifSectionSource final : public Source {
 public:
  EifSectionSource(Source& file, const EifExtent& section)
      : file_(file), skip_(section.offset + kEifSectionHeaderSize), left_(section.size) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Source& file_;
  std::uint64_t skip_, left_;
};

}  // namespace cloister::measure::nitro
