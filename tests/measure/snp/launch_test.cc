#include "measure/snp/launch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/measure/snp/firmware_builder.h"

namespace cloister::measure::snp {
namespace {

const KernelHashes kKernel = KernelHashes::of(as_bytes("kernel"), as_bytes("initrd"), "quiet");

Firmware firmware_of(const FirmwareBuilder& builder) {
  return must(parse_firmware(builder.build(), kLimits));
}
LaunchMeasurement launch_of(const Firmware& firmware, const LaunchParams& params = {},
                            const std::optional<KernelHashes>& kernel = kKernel) {
  return must(measure_launch(firmware, kernel, params, kLimits));
}
Digest384 digest_of(const Firmware& firmware, const LaunchParams& params = {},
                    const std::optional<KernelHashes>& kernel = kKernel) {
  return launch_of(firmware, params, kernel).digests.at(0).digest;
}

// PAGE_INFO as the specification writes it, hashed in one piece.
Digest384 updated(const Digest384& digest, std::uint8_t type, std::uint64_t gpa,
                  std::optional<ByteView> page) {
  ByteWriter out;
  out.bytes(digest);
  out.bytes(page ? sha384(*page) : Digest384{});
  out.u16(0x70);
  out.u8(type);
  out.zeros(5);
  out.u64(gpa);
  EXPECT_EQ(out.size(), 0x70U);
  return sha384(out.view());
}

TEST(LaunchHasher, HashesPageInfo) {
  Bytes pages(8192);
  pages[5000] = std::byte{7};
  LaunchHasher hasher;
  EXPECT_EQ(hasher.digest(), Digest384{});
  hasher.add(PageType::normal, 0xfffffe000, pages);
  hasher.add_empty(PageType::cpuid, 0x80e000, 1);
  Digest384 want = updated({}, 1, 0xfffffe000, ByteView(pages).first(4096));
  want = updated(want, 1, 0xfffffF000, ByteView(pages).last(4096));
  EXPECT_EQ(hasher.digest(), updated(want, 6, 0x80e000, std::nullopt));
  EXPECT_EQ(LaunchHasher(want).digest(), want);
}

TEST(SnpLaunch, FollowsTheFirmwaresOrder) {
  FirmwareBuilder builder;
  const Firmware firmware = firmware_of(builder);
  std::swap(builder.sections[0], builder.sections[3]);
  const Firmware other = firmware_of(builder);
  const auto names = [](const LaunchMeasurement& launch) {
    std::string out;
    for (const LaunchRange& range : launch.ranges) out += range.name + ",";
    return out;
  };
  EXPECT_EQ(names(launch_of(firmware)), "firmware,sec_mem,secrets,cpuid,kernel_hashes,vmsa 0,");
  EXPECT_EQ(names(launch_of(other)), "firmware,kernel_hashes,secrets,cpuid,sec_mem,vmsa 0,");
}

TEST(SnpLaunch, LogsWhatLedToTheDigests) {
  const Firmware firmware = firmware_of({});
  LaunchParams params;
  params.vcpus = {3, 1};
  const LaunchMeasurement launch = launch_of(firmware, params);
  ASSERT_EQ(launch.ranges.size(), 8U);
  const auto& ranges = launch.ranges;
  EXPECT_EQ(ranges[0].gpa, 0xfffff000U);
  EXPECT_EQ(ranges[0].digest, firmware.digest);
  EXPECT_EQ(ranges[0].content, std::nullopt);
  Digest384 want = firmware.digest;
  for (const std::uint64_t gpa : {0x800000, 0x801000, 0x802000})
    want = updated(want, 3, gpa, std::nullopt);
  EXPECT_EQ(ranges[1].digest, want);
  EXPECT_EQ(ranges[1].size, 0x3000U);
  EXPECT_EQ(ranges[1].type, PageType::zero);
  want = updated(want, 5, 0x80d000, std::nullopt);
  want = updated(want, 6, 0x80e000, std::nullopt);
  const Bytes table = kernel_hashes_page(kKernel, 0xc00);
  want = updated(want, 1, 0x810000, table);
  EXPECT_EQ(ranges[4].digest, want);
  EXPECT_EQ(ranges[4].content, sha384(table));
  const VcpuState state{params.vcpu_signature, 1, Vmm::qemu};
  want = updated(want, 2, 0xfffffffff000, vmsa_page(state, kFirstEip));
  EXPECT_EQ(launch.digests[1].vcpus, 1U);
  EXPECT_EQ(launch.digests[1].digest, want);
  for (int i = 0; i < 2; ++i) want = updated(want, 2, 0xfffffffff000, vmsa_page(state, 0x80b004));
  EXPECT_EQ(launch.digests[0].vcpus, 3U);
  EXPECT_EQ(launch.digests[0].digest, want);
  EXPECT_EQ(ranges[7].name, "vmsa 2");
  EXPECT_EQ(ranges[7].digest, want);
}

TEST(SnpLaunch, NumbersOfProcessorsTogetherAreThoseAlone) {
  const Firmware firmware = firmware_of({});
  LaunchParams together, alone;
  together.vcpus = {64, 1, 2, 2};
  const LaunchMeasurement all = launch_of(firmware, together);
  ASSERT_EQ(all.digests.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    alone.vcpus = {together.vcpus[i]};
    EXPECT_EQ(all.digests[i].digest, digest_of(firmware, alone)) << i;
  }
}

TEST(SnpLaunch, EveryInputCounts) {
  FirmwareBuilder builder;
  LaunchParams params;
  params.vcpus = {2};
  const Firmware firmware = firmware_of(builder);
  std::vector<Digest384> seen = {digest_of(firmware, params)};
  const auto expect_new = [&](const Digest384& digest) {
    EXPECT_EQ(std::ranges::find(seen, digest), seen.end()) << seen.size();
    seen.push_back(digest);
  };
  LaunchParams changed = params;
  changed.vcpu_signature = *vcpu_signature("EPYC-Milan");
  expect_new(digest_of(firmware, changed));
  changed = params;
  changed.guest_features = 0x21;
  expect_new(digest_of(firmware, changed));
  for (const Vmm vmm : {Vmm::ec2, Vmm::gce}) {
    changed = params;
    changed.vmm = vmm;
    expect_new(digest_of(firmware, changed));
  }
  expect_new(digest_of(firmware, params, std::nullopt));
  for (Digest KernelHashes::*part :
       {&KernelHashes::kernel, &KernelHashes::initrd, &KernelHashes::command_line}) {
    KernelHashes other = kKernel;
    (other.*part).bytes[31] ^= std::byte{1};
    expect_new(digest_of(firmware, params, other));
  }
  builder.reset_eip = 0x80b005;
  expect_new(digest_of(firmware_of(builder), params));
  builder = {};
  builder.hash_table->gpa = 0x810d00;
  expect_new(digest_of(firmware_of(builder), params));
  builder = {};
  builder.sections.push_back({0x900000, 0x1000, SectionType::svsm_caa});
  expect_new(digest_of(firmware_of(builder), params));
  builder = {};
  builder.pages = 2;
  expect_new(digest_of(firmware_of(builder), params));
}

TEST(SnpLaunch, EmptySectionsDoNotCount) {
  FirmwareBuilder builder;
  const Firmware plain = firmware_of(builder);
  builder.sections.insert(builder.sections.begin(), {0, 0, SectionType::secrets});
  Firmware with = firmware_of(builder);
  with.digest = plain.digest;  // the metadata is part of the firmware's pages
  EXPECT_EQ(digest_of(with), digest_of(plain));
}

TEST(SnpLaunch, AKernelNeedsAFirmwareThatChecksIt) {
  const auto failure = [](const FirmwareBuilder& builder) {
    const Firmware firmware = firmware_of(builder);
    EXPECT_TRUE(measure_launch(firmware, std::nullopt, {}, kLimits).has_value());
    const auto measured = measure_launch(firmware, kKernel, {}, kLimits);
    return measured.has_value() ? "measured" : measured.error().what();
  };
  const std::string none = "the firmware does not check a kernel, so that none can be measured";
  const std::string no_room = "the firmware has no room for the hashes of the kernel where it says";
  FirmwareBuilder builder;
  builder.hash_table.reset();
  EXPECT_EQ(failure(builder), none);
  builder.hash_table = HashTableArea{0, 0};
  EXPECT_EQ(failure(builder), none);
  builder = {};
  builder.sections.pop_back();
  EXPECT_EQ(failure(builder), none);
  builder.sections.push_back({0x810000, 0, SectionType::kernel_hashes});
  EXPECT_EQ(failure(builder), none);
  for (const HashTableArea& area :
       {HashTableArea{0x80fff0, 0x400}, HashTableArea{0x811000, 0x400},
        HashTableArea{0x810f51, 0x400}, HashTableArea{0xffffffff, 0x400},
        HashTableArea{0x810c00, 175}}) {
    builder = {};
    builder.hash_table = area;
    EXPECT_EQ(failure(builder), no_room) << area.gpa;
  }
  for (const HashTableArea& area : {HashTableArea{0x810000, 176}, HashTableArea{0x810f50, 176}}) {
    builder = {};
    builder.hash_table = area;
    EXPECT_EQ(failure(builder), "measured") << area.gpa;
  }
}

TEST(SnpLaunch, NeedsMetadataAndProcessorsThatStart) {
  const auto failure = [](const FirmwareBuilder& builder, std::vector<std::uint32_t> vcpus) {
    LaunchParams params;
    params.vcpus = std::move(vcpus);
    const auto measured = measure_launch(firmware_of(builder), std::nullopt, params, kLimits);
    return measured.has_value() ? "measured" : measured.error().what();
  };
  FirmwareBuilder builder;
  EXPECT_EQ(failure(builder, {}), "a launch needs a number of processors");
  EXPECT_EQ(failure(builder, std::vector<std::uint32_t>(1025, 1)),
            "a launch needs a number of processors");
  EXPECT_EQ(failure(builder, {1, 0}), "a guest cannot have that many processors");
  EXPECT_EQ(failure(builder, {1025}), "a guest cannot have that many processors");
  EXPECT_EQ(failure(builder, {1024}), "measured");
  builder.reset_eip.reset();
  EXPECT_EQ(failure(builder, {1}), "measured");
  EXPECT_EQ(failure(builder, {1, 2}), "the firmware can start one processor only");
  builder = {};
  builder.sections.clear();
  EXPECT_EQ(failure(builder, {1}), "the firmware cannot start a SEV-SNP guest");
}

TEST(SevLaunch, NeedsAFirmwareThatChecksTheKernelToo) {
  FirmwareBuilder builder;
  builder.hash_table.reset();
  const Bytes image = builder.build();
  const Firmware firmware = firmware_of(builder);
  EXPECT_EQ(must(measure_sev(image, firmware, std::nullopt)), sha256(image));
  EXPECT_FALSE(measure_sev(image, firmware, kKernel).has_value());
  EXPECT_FALSE(measure_sev_es(image, firmware, kKernel, {}, 1, kLimits).has_value());
  EXPECT_FALSE(measure_sev_es(image, firmware, std::nullopt, {}, 0, kLimits).has_value());
  EXPECT_TRUE(measure_sev_es(image, firmware, std::nullopt, {}, 1, kLimits).has_value());
}

TEST(Vmsa, ModelsAndMonitorsHaveNames) {
  EXPECT_EQ(vcpu_signature("EPYC"), 0x800f12U);
  EXPECT_EQ(vcpu_signature("EPYC-v4"), 0x800f12U);
  EXPECT_EQ(vcpu_signature("EPYC-Rome-v2"), 0x830f10U);
  EXPECT_EQ(vcpu_signature("EPYC-Milan"), 0xa00f11U);
  EXPECT_EQ(vcpu_signature("EPYC-Genoa-v1"), 0xa10f10U);
  EXPECT_EQ(vcpu_signature("EPYC-Turin"), 0xb00f00U);
  EXPECT_EQ(vcpu_signature("epyc"), std::nullopt);
  EXPECT_EQ(vcpu_signature(""), std::nullopt);
  for (const Vmm vmm : {Vmm::qemu, Vmm::ec2, Vmm::gce}) EXPECT_EQ(parse_vmm(vmm_name(vmm)), vmm);
  EXPECT_EQ(vmm_name(Vmm::gce), "gce");
  EXPECT_EQ(parse_vmm("QEMU"), std::nullopt);
}

}  // namespace
}  // namespace cloister::measure::snp
