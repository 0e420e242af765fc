// The state in which a virtual processor starts, as the page that is measured (VMSA: AMD64
// Architecture Programmer's Manual vol. 2, table B-4). It is up to the virtual machine monitor, and
// the monitors differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace cloister::measure::snp {

// Who starts the guest: QEMU with KVM, Amazon EC2, Google Compute Engine.
enum class Vmm { qemu, ec2, gce };
// "qemu", "ec2", "gce"; nothing for another text.
std::string_view vmm_name(Vmm vmm);
std::optional<Vmm> parse_vmm(std::string_view name);

// A processor model of QEMU's (-cpu), and its CPUID Fn0000_0001_EAX.
struct VcpuModel {
  std::string_view name;
  std::uint32_t signature;
};
std::span<const VcpuModel> vcpu_models();
std::optional<std::uint32_t> vcpu_signature(std::string_view model);

struct VcpuState {
  std::uint32_t signature = 0;     // CPUID Fn0000_0001_EAX; the clouds start without
  std::uint64_t sev_features = 0;  // SEV_FEATURES
  Vmm vmm = Vmm::qemu;
};

// Where the first processor starts; the others start where the firmware says.
inline constexpr std::uint32_t kFirstEip = 0xfffffff0;

Bytes vmsa_page(const VcpuState& state, std::uint32_t eip);  // 4096 bytes

}  // namespace cloister::measure::snp
