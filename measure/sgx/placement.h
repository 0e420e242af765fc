// Where Gramine puts the parts of an enclave: from the top down, in a fixed order.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "measure/elf/facts.h"
#include "measure/sgx/enclave.h"

namespace cloister::measure::sgx {

struct Range {
  std::uint64_t address = 0, size = 0;  // absolute address (the enclave base included), bytes
  std::uint64_t end() const { return address + size; }
};

struct Placement {
  std::uint64_t manifest_bytes = 0;  // the file and its NUL, not rounded
  Range manifest, ssa, tcs, tls;
  std::vector<Range> stacks, sig_stacks;  // one per thread; the first thread's is topmost
  Range pal;
  std::uint64_t pal_bias = 0;  // run-time address minus p_vaddr (modulo 2^64)
  std::vector<Range> free;     // added without being measured; none with EDMM
  std::uint64_t heap_max() const { return pal.address; }
};

// `invalid` when the enclave is too small (with the size that would do), not made of whole pages,
// or so large that measuring it would never end.
Result<Placement> place_enclave(const elf::LoadImage& libpal, std::uint64_t manifest_file_size,
                                const EnclaveParams& params, const LayoutConstants& layout);

}  // namespace cloister::measure::sgx
