// Order: the firmware's pages, the sections of its metadata as they stand there, one VMSA for each
// processor. All VMSAs have the same address: KVM gives -1, of which the processor keeps the page
// and the bits below 48.
//
// Traps: EC2 measures CPUID pages after all other sections. GCE adds the memory of the first phase
// unmeasured. Without a kernel the page for its hashes is added empty.
#include "measure/snp/launch.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::measure::snp {
namespace {

constexpr std::uint64_t kVmsaGpa = 0xfffffffff000;

std::string_view section_name(SectionType type) {
  switch (type) {
    case SectionType::sec_mem:
      return "sec_mem";
    case SectionType::secrets:
      return "secrets";
    case SectionType::cpuid:
      return "cpuid";
    case SectionType::svsm_caa:
      return "svsm_caa";
    case SectionType::kernel_hashes:
      break;
  }
  return "kernel_hashes";
}

PageType page_type(SectionType type, Vmm vmm) {
  switch (type) {
    case SectionType::secrets:
      return PageType::secrets;
    case SectionType::cpuid:
      return PageType::cpuid;
    case SectionType::sec_mem:
      return vmm == Vmm::gce ? PageType::unmeasured : PageType::zero;
    case SectionType::svsm_caa:
    case SectionType::kernel_hashes:
      break;
  }
  return PageType::zero;
}

Error no_kernel_check() {
  return Error::unsupported("the firmware does not check a kernel, so that none can be measured")
      .detail("it has no place for the hashes of kernel, initrd and command line")
      .hint(
          "take OVMF built for that (OVMF.amdsev.fd, from OvmfPkg/AmdSev), or leave out the "
          "kernel");
}

// That `kernel` can be told to the firmware, in the page that it has for it.
Status check_hash_table(const Firmware& firmware) {
  const Section* section = firmware.section(SectionType::kernel_hashes);
  if (!firmware.hash_table || section == nullptr || section->size == 0) return no_kernel_check();
  const std::uint64_t at = firmware.hash_table->gpa;
  if (at < section->gpa || at + kKernelHashesSize > std::uint64_t{section->gpa} + section->size ||
      firmware.hash_table->size < kKernelHashesSize)
    return Error::corrupt("the firmware has no room for the hashes of the kernel where it says")
        .detail(cat("got ", firmware.hash_table->size, " bytes at ", hex_number(at),
                    ", the page is at ", hex_number(section->gpa)));
  return {};
}

Status check_processors(const Firmware& firmware, std::uint32_t vcpus, const Limits& limits) {
  if (vcpus == 0 || vcpus > limits.vcpus)
    return Error::invalid("a guest cannot have that many processors")
        .detail(cat("got ", vcpus, ", want 1 to ", limits.vcpus));
  if (vcpus > 1 && !firmware.reset_eip)
    return Error::unsupported("the firmware can start one processor only")
        .detail(cat("it has no SEV-ES reset block, and ", vcpus, " processors are wanted"));
  return {};
}

class Launch {
 public:
  Launch(const Firmware& firmware, const KernelHashes* kernel, const LaunchParams& params)
      : firmware_(firmware), kernel_(kernel), params_(params), hasher_(firmware.digest) {}

  LaunchMeasurement run() {
    log("firmware", firmware_.gpa(), firmware_.size, PageType::normal);
    const bool cpuid_last = params_.vmm == Vmm::ec2;
    for (const Section& section : firmware_.sections)
      if (!cpuid_last || section.type != SectionType::cpuid) add(section);
    for (const Section& section : firmware_.sections)
      if (cpuid_last && section.type == SectionType::cpuid) add(section);
    add_processors();
    return std::move(out_);
  }

 private:
  void add(const Section& section) {
    if (section.size == 0) return;
    if (section.type == SectionType::kernel_hashes && kernel_ != nullptr) {
      add_page(std::string(section_name(section.type)), section.gpa, PageType::normal,
               kernel_hashes_page(*kernel_, firmware_.hash_table->gpa - section.gpa));
      return;
    }
    const PageType type = page_type(section.type, params_.vmm);
    hasher_.add_empty(type, section.gpa, section.size / kPageSize);
    log(std::string(section_name(section.type)), section.gpa, section.size, type);
  }

  void add_processors() {
    const VcpuState state{params_.vcpu_signature, params_.guest_features, params_.vmm};
    std::vector<Digest384> after;
    const std::uint32_t most = *std::ranges::max_element(params_.vcpus);
    const Bytes first = vmsa_page(state, kFirstEip);
    const Bytes others = vmsa_page(state, firmware_.reset_eip.value_or(0));
    for (std::uint32_t i = 0; i < most; ++i) {
      add_page(cat("vmsa ", i), kVmsaGpa, PageType::vmsa, i == 0 ? first : others);
      after.push_back(hasher_.digest());
    }
    for (const std::uint32_t vcpus : params_.vcpus)
      out_.digests.push_back({vcpus, after[vcpus - 1]});
  }

  void add_page(std::string name, std::uint64_t gpa, PageType type, const Bytes& page) {
    hasher_.add(type, gpa, page);
    log(std::move(name), gpa, page.size(), type);
    out_.ranges.back().content = sha384(page);
  }

  void log(std::string name, std::uint64_t gpa, std::uint64_t size, PageType type) {
    out_.ranges.push_back({std::move(name), gpa, size, type, std::nullopt, hasher_.digest()});
  }

  const Firmware& firmware_;
  const KernelHashes* kernel_;
  const LaunchParams& params_;
  LaunchHasher hasher_;
  LaunchMeasurement out_;
};

// What SEV and SEV-ES hash first.
Result<Sha256> hash_start(ByteView image, const Firmware& firmware,
                          const std::optional<KernelHashes>& kernel) {
  if (kernel && !firmware.hash_table) return no_kernel_check();
  Sha256 sha;
  sha.update(image);
  if (kernel) sha.update(encode_kernel_hashes(*kernel));
  return sha;
}

}  // namespace

Result<LaunchMeasurement> measure_launch(const Firmware& firmware,
                                         const std::optional<KernelHashes>& kernel,
                                         const LaunchParams& params, const Limits& limits) {
  if (params.vcpus.empty() || params.vcpus.size() > limits.vcpus)
    return Error::invalid("a launch needs a number of processors")
        .detail(cat("got ", params.vcpus.size(), " numbers, want 1 to ", limits.vcpus));
  for (const std::uint32_t vcpus : params.vcpus)
    CL_CHECK(check_processors(firmware, vcpus, limits));
  if (firmware.sections.empty())
    return Error::unsupported("the firmware cannot start a SEV-SNP guest")
        .detail("it has no SEV metadata")
        .hint(
            "take a newer OVMF, with its code: no file of variables, no build for other machines");
  if (kernel) CL_CHECK(check_hash_table(firmware));
  return Launch(firmware, kernel ? &*kernel : nullptr, params).run();
}

Result<Digest> measure_sev(ByteView image, const Firmware& firmware,
                           const std::optional<KernelHashes>& kernel) {
  CL_TRY(Sha256 sha, hash_start(image, firmware, kernel));
  return sha.finish();
}

Result<Digest> measure_sev_es(ByteView image, const Firmware& firmware,
                              const std::optional<KernelHashes>& kernel, const LaunchParams& params,
                              std::uint32_t vcpus, const Limits& limits) {
  CL_CHECK(check_processors(firmware, vcpus, limits));
  CL_TRY(Sha256 sha, hash_start(image, firmware, kernel));
  const VcpuState state{params.vcpu_signature, 0, params.vmm};
  const Bytes others = vmsa_page(state, firmware.reset_eip.value_or(0));
  sha.update(vmsa_page(state, kFirstEip));
  for (std::uint32_t i = 1; i < vcpus; ++i) sha.update(others);
  return sha.finish();
}

}  // namespace cloister::measure::snp
