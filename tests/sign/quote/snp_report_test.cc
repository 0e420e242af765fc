// A report's fields, and what is no report.
#include "sign/quote/snp_report.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"
#include "tests/sign/quote/amd_pki.h"

namespace cloister::sign {
namespace {

SnpReport report_with_every_field() {
  SnpReport r = plain_report(SnpProduct::milan, {});
  r.version = 5;
  r.guest_svn = 7;
  r.policy.bits = 0x1f0137;
  r.family_id.fill(std::byte{1});
  r.image_id.fill(std::byte{2});
  r.vmpl = 2;
  r.current_tcb = {1, 2, 3, 4, 5, 6, 7, 8};
  r.reported_tcb = {9, 10, 11, 12, 13, 14, 15, 16};
  r.committed_tcb = {17, 18, 19, 20, 21, 22, 23, 24};
  r.launch_tcb = {25, 26, 27, 28, 29, 30, 31, 32};
  r.platform_info = 0x25;
  r.author_key = r.mask_chip_key = true;
  r.signer_bits = 1;
  r.host_data.fill(std::byte{3});
  r.id_key_digest.fill(std::byte{4});
  r.author_key_digest.fill(std::byte{5});
  r.report_id.fill(std::byte{6});
  r.current_firmware = {1, 55, 21};
  r.committed_firmware = {1, 54, 20};
  r.launch_mitigations = 0x8000000000000001;
  r.current_mitigations = 3;
  return r;
}

TEST(SnpReport, EveryFieldIsRead) {
  const SnpReport want = report_with_every_field();
  const SnpReport r = must(parse_snp_report(encode_snp_report(want)));
  EXPECT_EQ(r.version, 5U);
  EXPECT_EQ(r.guest_svn, want.guest_svn);
  EXPECT_EQ(r.policy.bits, want.policy.bits);
  EXPECT_EQ(r.policy.abi_minor(), 0x37);
  EXPECT_EQ(r.policy.abi_major(), 1);
  EXPECT_TRUE(r.policy.smt() && r.policy.debug() && r.policy.migration_agent());
  EXPECT_TRUE(r.policy.single_socket() && r.policy.must_be_one());
  EXPECT_EQ(r.family_id, want.family_id);
  EXPECT_EQ(r.image_id, want.image_id);
  EXPECT_EQ(r.vmpl, 2U);
  EXPECT_EQ(r.signature_algorithm, 1U);
  EXPECT_EQ(r.current_tcb, want.current_tcb);
  EXPECT_EQ(r.reported_tcb, want.reported_tcb);
  EXPECT_EQ(r.committed_tcb, want.committed_tcb);
  EXPECT_EQ(r.launch_tcb, want.launch_tcb);
  EXPECT_EQ(tcb_number(r.launch_tcb), 0x201f1e1d1c1b1a19U);
  EXPECT_EQ(r.platform_info, want.platform_info);
  EXPECT_TRUE(r.author_key && r.mask_chip_key);
  EXPECT_EQ(r.signer(), SnpSigner::vlek);
  EXPECT_EQ(r.report_data(), want.data);
  EXPECT_EQ(r.measurement, want.measurement);
  EXPECT_EQ(r.host_data, want.host_data);
  EXPECT_EQ(r.id_key_digest, want.id_key_digest);
  EXPECT_EQ(r.author_key_digest, want.author_key_digest);
  EXPECT_EQ(r.report_id, want.report_id);
  EXPECT_FALSE(r.has_migration_agent());
  ASSERT_TRUE(r.cpuid);
  EXPECT_EQ(r.cpuid->family, 0x19);
  EXPECT_EQ(r.chip_id, want.chip_id);
  EXPECT_FALSE(r.chip_masked());
  EXPECT_EQ(r.current_firmware.minor, 55);
  EXPECT_EQ(r.committed_firmware.build, 20);
  EXPECT_EQ(r.launch_mitigations, want.launch_mitigations);
  EXPECT_EQ(r.current_mitigations, want.current_mitigations);
  EXPECT_EQ(r.signed_bytes.size(), 0x2a0U);
}

TEST(SnpReport, OlderVersionsHaveFewerFields) {
  SnpReport old = report_with_every_field();
  old.version = 3;
  const SnpReport third = must(parse_snp_report(encode_snp_report(old)));
  EXPECT_TRUE(third.cpuid);
  EXPECT_EQ(third.launch_mitigations, 0U);
  old.version = 2;
  EXPECT_FALSE(must(parse_snp_report(encode_snp_report(old))).cpuid);
}

TEST(SnpReport, OtherVersionsAndSizesAreRefused) {
  Bytes bytes = encode_snp_report(report_with_every_field());
  for (const int version : {0, 1, 4, 6, 255}) {
    bytes[0] = static_cast<std::byte>(version);
    const auto parsed = parse_snp_report(bytes);
    ASSERT_FALSE(parsed.has_value()) << version;
    EXPECT_EQ(parsed.error().code(), Code::unsupported);
  }
  bytes[0] = std::byte{3};
  for (const std::size_t size : {0U, 1U, 4U, 0x2a0U, 1183U, 1185U}) {
    Bytes other = bytes;
    other.resize(size);
    const auto parsed = parse_snp_report(other);
    ASSERT_FALSE(parsed.has_value()) << size;
    EXPECT_EQ(parsed.error().code(), Code::corrupt);
  }
}

TEST(SnpReport, BytesThatNoSignatureCoversMustBeZero) {
  const Bytes good = encode_snp_report(report_with_every_field());
  ASSERT_TRUE(parse_snp_report(good).has_value());
  for (std::size_t at = 0x2a0; at < good.size(); ++at) {
    const std::size_t within = at - 0x2a0;
    const bool number = within < 144 && within % 72 < 48;
    Bytes changed = good;
    changed[at] ^= std::byte{1};
    EXPECT_EQ(parse_snp_report(changed).has_value(), number) << at;
  }
}

}  // namespace
}  // namespace cloister::sign
