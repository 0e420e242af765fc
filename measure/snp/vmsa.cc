// All is zero but what KVM sets at reset, and what a monitor adds to it. Segments are selector and
// attributes (two bytes each), limit (four) and base (eight), little-endian as everything here.
//
// Traps: EC2 and GCE leave the signature of the processor out and have 0x600 there. EC2 marks the
// code segment of the first processor alone as not accessed. GCE has its own table of memory types.
#include "measure/snp/vmsa.h"

#include <algorithm>

#include "measure/snp/launch_hasher.h"

namespace cloister::measure::snp {
namespace {

// CPUID Fn0000_0001_EAX of family, model and stepping (AMD64 APM vol. 3, appendix E). Families
// above 15 are written as 15 and the rest.
constexpr std::uint32_t signature(std::uint32_t family, std::uint32_t model,
                                  std::uint32_t stepping) {
  return (family - 15) << 20 | (model >> 4) << 16 | 15U << 8 | (model & 15) << 4 | stepping;
}

constexpr std::uint32_t kNaples = signature(23, 1, 2), kRome = signature(23, 49, 0),
                        kMilan = signature(25, 1, 1), kGenoa = signature(25, 17, 0),
                        kTurin = signature(26, 0, 0);

constexpr VcpuModel kModels[] = {
    {"EPYC", kNaples},         {"EPYC-v1", kNaples},      {"EPYC-v2", kNaples},
    {"EPYC-v3", kNaples},      {"EPYC-v4", kNaples},      {"EPYC-v5", kNaples},
    {"EPYC-IBPB", kNaples},    {"EPYC-Rome", kRome},      {"EPYC-Rome-v1", kRome},
    {"EPYC-Rome-v2", kRome},   {"EPYC-Rome-v3", kRome},   {"EPYC-Rome-v4", kRome},
    {"EPYC-Rome-v5", kRome},   {"EPYC-Milan", kMilan},    {"EPYC-Milan-v1", kMilan},
    {"EPYC-Milan-v2", kMilan}, {"EPYC-Milan-v3", kMilan}, {"EPYC-Genoa", kGenoa},
    {"EPYC-Genoa-v1", kGenoa}, {"EPYC-Genoa-v2", kGenoa}, {"EPYC-Turin", kTurin},
    {"EPYC-Turin-v1", kTurin},
};

constexpr std::string_view kVmmNames[] = {"qemu", "ec2", "gce"};

// Writes fields in ascending order; what lies between them is zero.
class VmsaWriter {
 public:
  void segment(std::size_t at, std::uint16_t selector, std::uint16_t attributes,
               std::uint64_t base = 0) {
    go_to(at);
    out_.u16(selector);
    out_.u16(attributes);
    out_.u32(0xffff);
    out_.u64(base);
  }
  void u64(std::size_t at, std::uint64_t value) {
    go_to(at);
    out_.u64(value);
  }
  void u32(std::size_t at, std::uint32_t value) {
    go_to(at);
    out_.u32(value);
  }
  void u16(std::size_t at, std::uint16_t value) {
    go_to(at);
    out_.u16(value);
  }
  Bytes finish() {
    go_to(kPageSize);
    return out_.take();
  }

 private:
  void go_to(std::size_t at) { out_.zeros(at - out_.size()); }
  ByteWriter out_;
};

// What monitors do not agree on.
struct MonitorState {
  std::uint16_t code_attributes = 0x9b, stack_attributes = 0x93, task_attributes = 0x8b;
  std::uint64_t memory_types = 0x0007040600070406;  // PAT at reset
  std::uint64_t rdx = 0x600;
  std::uint32_t mxcsr = 0;
  std::uint16_t x87_control = 0;
};

MonitorState monitor_state(const VcpuState& state, std::uint32_t eip) {
  MonitorState out;
  switch (state.vmm) {
    case Vmm::qemu:
      out.rdx = state.signature;
      out.mxcsr = 0x1f80;
      out.x87_control = 0x37f;
      break;
    case Vmm::ec2:
      if (eip == kFirstEip) out.code_attributes = 0x9a;
      out.stack_attributes = 0x92;
      out.task_attributes = 0x83;
      break;
    case Vmm::gce:
      out.memory_types = 0x00070106;
      break;
  }
  return out;
}

}  // namespace

std::string_view vmm_name(Vmm vmm) {
  return kVmmNames[static_cast<std::size_t>(vmm)];
}

std::optional<Vmm> parse_vmm(std::string_view name) {
  for (const Vmm vmm : {Vmm::qemu, Vmm::ec2, Vmm::gce})
    if (vmm_name(vmm) == name) return vmm;
  return std::nullopt;
}

std::span<const VcpuModel> vcpu_models() {
  return kModels;
}

std::optional<std::uint32_t> vcpu_signature(std::string_view model) {
  const auto* at = std::ranges::find(kModels, model, &VcpuModel::name);
  if (at == std::end(kModels)) return std::nullopt;
  return at->signature;
}

Bytes vmsa_page(const VcpuState& state, std::uint32_t eip) {
  const MonitorState monitor = monitor_state(state, eip);
  VmsaWriter out;
  out.segment(0x00, 0, 0x93);                                                // ES
  out.segment(0x10, 0xf000, monitor.code_attributes, eip & 0xffff0000);      // CS
  out.segment(0x20, 0, monitor.stack_attributes);                            // SS
  for (const std::size_t at : {0x30, 0x40, 0x50}) out.segment(at, 0, 0x93);  // DS, FS, GS
  out.segment(0x60, 0, 0);                                                   // GDTR
  out.segment(0x70, 0, 0x82);                                                // LDTR
  out.segment(0x80, 0, 0);                                                   // IDTR
  out.segment(0x90, 0, monitor.task_attributes);                             // TR
  out.u64(0xd0, 0x1000);                                                     // EFER: SVME
  out.u64(0x148, 0x40);                                                      // CR4: MCE
  out.u64(0x158, 0x10);                                                      // CR0: ET
  out.u64(0x160, 0x400);                                                     // DR7
  out.u64(0x168, 0xffff0ff0);                                                // DR6
  out.u64(0x170, 2);                                                         // RFLAGS
  out.u64(0x178, eip & 0xffff);                                              // RIP
  out.u64(0x268, monitor.memory_types);                                      // G_PAT
  out.u64(0x310, monitor.rdx);                                               // RDX
  out.u64(0x3b0, state.sev_features);                                        // SEV_FEATURES
  out.u64(0x3e8, 1);                                                         // XCR0
  out.u32(0x408, monitor.mxcsr);                                             // MXCSR
  out.u16(0x410, monitor.x87_control);                                       // FCW
  return out.finish();
}

}  // namespace cloister::measure::snp
