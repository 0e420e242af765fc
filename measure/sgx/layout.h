// Gramine's enclave layout constants (pal_linux_defs.h; exported as _graminelibos_offsets.py).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::measure::sgx {

// Sizes in bytes. The defaults are those of Gramine 1.9.
struct LayoutConstants {
  std::uint64_t enclave_base = 0x0;
  std::uint64_t heap_min = 0x10000;  // MMAP_MIN_ADDR
  std::uint64_t page_size = 0x1000;
  std::uint64_t ssa_frame_size = 0x4000;
  std::uint64_t ssa_frame_num = 2;
  std::uint64_t stack_size = 0x40000;
  std::uint64_t sig_stack_size = 0x10000;
  std::uint64_t gpr_size = 0xb8;
  // Offsets within the enclave thread-local page (struct pal_enclave_tls).
  std::uint64_t common_self = 0x0, stack_protector_canary = 0x8, enclave_size = 0x110,
                tcs_offset = 0x118, initial_stack_addr = 0x120, sig_stack_low = 0x130,
                sig_stack_high = 0x138, ssa = 0x148, gpr = 0x150, manifest_size = 0x1a0,
                heap_min_offset = 0x1a8, heap_max_offset = 0x1b0;
  std::uint64_t canary_default = 0xbadbadbadbad;
  std::uint64_t xfrm_mask_const = 0xfffffffffff9ff1b;
  bool operator==(const LayoutConstants&) const = default;
};

// From the text of _graminelibos_offsets.py ("NAME = 0x…" lines): every constant used here must be
// there and plausible. `unsupported` names the first one that is not.
Result<LayoutConstants> parse_offsets(std::string_view text);
// The built-in table, for versions 1.6 to 1.9 ("1.9", "1.8-…"); another version is `unsupported`.
Result<LayoutConstants> builtin_layout(std::string_view version);
// Bounds that measuring relies on: page size 4096, areas of whole pages below 1 GiB, offsets within
// the thread page. `unsupported` names the constant that breaks them.
Status check_layout(const LayoutConstants& layout);

}  // namespace cloister::measure::sgx
