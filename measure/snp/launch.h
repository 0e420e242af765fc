// The launch measurement of a SEV-SNP guest: what MEASUREMENT of its attestation report will be,
// with a log of every range that led to it. Computed from the rules of the monitors, of which
// QEMU's are those of its source; compared with sev-snp-measure, not with hardware.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/sha384.h"
#include "measure/snp/firmware.h"
#include "measure/snp/kernel_hashes.h"
#include "measure/snp/launch_hasher.h"
#include "measure/snp/vmsa.h"

namespace cloister::measure::snp {

struct LaunchParams {
  std::vector<std::uint32_t> vcpus = {1};   // numbers of processors, one digest each
  std::uint32_t vcpu_signature = 0x800f12;  // EPYC-v4
  std::uint64_t guest_features = 1;         // SEV_FEATURES: bit 0 SNP, bit 5 debug swap
  Vmm vmm = Vmm::qemu;
};

// One range of memory, in the order in which it is measured.
struct LaunchRange {
  std::string name;  // "firmware", "sec_mem", "secrets", "cpuid", "svsm_caa", "kernel_hashes",
                     // "vmsa 0", "vmsa 1" …
  std::uint64_t gpa = 0, size = 0;  // guest-physical address, bytes
  PageType type = PageType::normal;
  std::optional<Digest384> content;  // SHA-384 of a single page whose contents count
  Digest384 digest{};                // the launch digest after it
};

struct LaunchDigest {
  std::uint32_t vcpus = 0;
  Digest384 digest{};
};

struct LaunchMeasurement {
  std::vector<LaunchDigest> digests;  // one for each of LaunchParams::vcpus, in their order
  std::vector<LaunchRange> ranges;    // up to the last processor of the largest number
};

// What a launch with `kernel` (or without) measures. `unsupported` when the firmware cannot start a
// SEV-SNP guest, checks no kernel and there is one, or says not where further processors start;
// `corrupt` when it wants the table of hashes where there is no room; `invalid` for a number of
// processors that is 0 or above limits.vcpus.
Result<LaunchMeasurement> measure_launch(const Firmware& firmware,
                                         const std::optional<KernelHashes>& kernel,
                                         const LaunchParams& params, const Limits& limits);

// The same for the older kinds of guest, which is one SHA-256 over `image`, the table and, for
// SEV-ES, the processors' pages. `firmware` is parsed from `image`. Of `params` counts only the
// signature and the monitor: SEV-ES knows no features.
Result<Digest> measure_sev(ByteView image, const Firmware& firmware,
                           const std::optional<KernelHashes>& kernel);
Result<Digest> measure_sev_es(ByteView image, const Firmware& firmware,
                              const std::optional<KernelHashes>& kernel, const LaunchParams& params,
                              std::uint32_t vcpus, const Limits& limits);

}  // namespace cloister::measure::snp
