// Any bytes as a firmware: what is read can be measured or is refused, and the same numbers of
// processors have the same digests whatever they are measured together with.
#include <cstddef>
#include <cstdint>

#include "measure/snp/launch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  using namespace cloister::measure::snp;
  Limits limits;
  limits.firmware_bytes = 1 << 20;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto firmware = parse_firmware(bytes, limits);
  if (!firmware.has_value()) return 0;
  const KernelHashes kernel = KernelHashes::of(bytes.first(1), {}, "quiet");
  for (const Vmm vmm : {Vmm::qemu, Vmm::ec2, Vmm::gce}) {
    LaunchParams params;
    params.vmm = vmm;
    const auto one = measure_launch(*firmware, std::nullopt, params, limits);
    if (!one.has_value()) return 0;
    params.vcpus = {2, 1};
    const auto two = measure_launch(*firmware, std::nullopt, params, limits);
    if (two.has_value() && two->digests[1].digest != one->digests[0].digest) __builtin_trap();
    const auto booted = measure_launch(*firmware, kernel, params, limits);
    if (booted.has_value() && booted->digests[1].digest == one->digests[0].digest) __builtin_trap();
  }
  (void)measure_sev(bytes, *firmware, kernel);
  (void)measure_sev_es(bytes, *firmware, kernel, {}, 2, limits);
  return 0;
}
