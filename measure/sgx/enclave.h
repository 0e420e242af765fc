// MRENCLAVE: the hash that ECREATE, EADD and EEXTEND would compute over Gramine's enclave.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "measure/sgx/layout.h"

namespace cloister::measure::sgx {

// What the manifest says about the enclave, already parsed and defaulted (manifest-gen does that).
struct EnclaveParams {
  std::uint64_t enclave_size = 256ULL << 20;  // bytes
  std::uint32_t max_threads = 4;
  bool edmm = false;
  bool debug = false;
  std::uint16_t isvprodid = 0, isvsvn = 0;
  // ATTRIBUTES.FLAGS, ATTRIBUTES.XFRM and masks, MISCSELECT and mask, as in SIGSTRUCT.
  std::uint64_t flags = 0x4, flags_mask = ~0ULL;
  std::uint64_t xfrm = 0x3, xfrm_mask = 0xfffffffffff9ff1b;
  std::uint32_t misc_select = 0, misc_mask = 0xffffffff;
};

// One range of the enclave, in the order in which it is measured.
struct EnclaveArea {
  std::string name;          // "manifest", "ssa", "tcs", "tls", "stack", "sig_stack", "pal", "free"
  std::uint64_t address;     // offset from the enclave base
  std::uint64_t size;        // bytes
  std::uint32_t protection;  // PF_* bits: R 4, W 2, X 1; 0 for TCS pages
  bool tcs = false;          // page type PT_TCS, else PT_REG
  bool measured = false;     // EEXTENDed, else only EADDed
};

struct EnclaveMeasurement {
  Digest mrenclave;
  std::vector<EnclaveArea> areas;
};

// Fails where measure_enclave does, without hashing anything.
Status check_enclave(ByteView libpal, ByteView manifest, const EnclaveParams& params,
                     const LayoutConstants& layout, const Limits& limits);

// `manifest` is the file's bytes; the terminating NUL and zero padding are added here, as Gramine
// does. "Enclave size is not large enough" is `invalid` with the size that would be.
Result<EnclaveMeasurement> measure_enclave(ByteView libpal, ByteView manifest,
                                           const EnclaveParams& params,
                                           const LayoutConstants& layout, const Limits& limits);

}  // namespace cloister::measure::sgx
