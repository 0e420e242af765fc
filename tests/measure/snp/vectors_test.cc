// Digests that others computed: sev-snp-measure of Debian's firmware, and a second implementation
// of a small one (testdata/snp-launch/README.md).
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "measure/snp/launch.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"
#include "tests/measure/snp/firmware_builder.h"

#include <nlohmann/json.hpp>

namespace cloister::measure::snp {
namespace {

using Json = nlohmann::json;

fs::path snp_data() {
  return source_dir() / "testdata/snp-launch";
}
Bytes snp_file(const char* name) {
  return must(read_file(snp_data() / name, 1 << 20));
}
const Json& vectors() {
  static const Json json = Json::parse(must(read_text_file(snp_data() / "vectors.json", 1 << 20)));
  return json;
}
std::string text(const Json& object, const char* key) {
  return object.at(key).get<std::string>();
}
std::uint64_t number(const Json& object, const char* key) {
  return std::stoull(text(object, key), nullptr, 16);
}
Vmm vmm_of(const std::string& name) {
  return *parse_vmm(lower_ascii(name));
}
Digest384 digest384(std::string_view hex_text) {
  Digest384 out{};
  const Bytes bytes = *unhex(hex_text);
  EXPECT_EQ(bytes.size(), out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// "small", "debian", "noinitrd", "none": what was booted, by the digests of the files.
std::optional<KernelHashes> kernel_of(const std::string& files, const Json& command_line) {
  if (files == "none") return std::nullopt;
  const auto digest = [](const char* name) {
    return must(Digest::parse_hex(text(vectors().at("inputs").at(name), "sha256")));
  };
  return KernelHashes{digest(files == "debian" ? "vmlinuz" : "kernel.bin"),
                      files == "noinitrd" ? sha256("") : digest("initrd.bin"),
                      KernelHashes::of_command_line(command_line.get<std::string>())};
}

// Debian's firmware, as parsing it says: its 4 MiB are not here.
Firmware debian_firmware(const std::string& name) {
  Firmware out;
  out.size = 4 << 20;
  out.reset_eip = 0x80b004;
  out.sections = {{0x800000, 0x9000, SectionType::sec_mem},
                  {0x80a000, 0x3000, SectionType::sec_mem},
                  {0x80d000, 0x1000, SectionType::secrets},
                  {0x80e000, 0x1000, SectionType::cpuid},
                  {0x80f000, 0x1000, SectionType::svsm_caa}};
  if (name == "amdsev") {
    out.hash_table = HashTableArea{0x810c00, 0x400};
    out.sections.push_back({0x811000, 0x1f000, SectionType::sec_mem});
    out.sections.push_back({0x810000, 0x1000, SectionType::kernel_hashes});
  } else {
    out.sections.push_back({0x810000, 0x10000, SectionType::sec_mem});
  }
  const char* file = name == "amdsev" ? "OVMF.amdsev.fd" : "OVMF.fd";
  out.digest = digest384(text(vectors().at("page_hashes"), file));
  return out;
}

LaunchParams params_of(const Json& vector) {
  LaunchParams out;
  out.vcpus = {vector.at("vcpus").get<std::uint32_t>()};
  out.vcpu_signature = *vcpu_signature(text(vector, "type"));
  EXPECT_EQ(out.vcpu_signature, number(vector, "sig"));
  out.guest_features = number(vector, "guest_features");
  out.vmm = vmm_of(text(vector, "vmm"));
  return out;
}

TEST(SnpVectors, TestFilesAreThoseMeasured) {
  for (const char* name : {"kernel.bin", "initrd.bin"})
    EXPECT_EQ(sha256(snp_file(name)).hex(), text(vectors().at("inputs").at(name), "sha256"));
}

TEST(SnpVectors, TablesOfHashes) {
  int cases = 0;
  for (const Json& vector : vectors().at("kernel_hashes")) {
    const KernelHashes hashes = *kernel_of(text(vector, "files"), vector.at("cmdline"));
    const Bytes table = encode_kernel_hashes(hashes);
    EXPECT_EQ(hex(ByteView(table)), text(vector, "table_hex"));
    EXPECT_EQ(sha256(table).hex(), text(vector, "table_sha256"));
    EXPECT_EQ(hex(sha384(kernel_hashes_page(hashes, 0xc00))), text(vector, "page_sha384"));
    ++cases;
  }
  EXPECT_EQ(cases, 4);
  EXPECT_EQ(KernelHashes::of(snp_file("kernel.bin"), snp_file("initrd.bin"), ""),
            *kernel_of("small", ""));
  EXPECT_EQ(KernelHashes::of(snp_file("kernel.bin"), {}, "a"), *kernel_of("noinitrd", "a"));
}

TEST(SnpVectors, VmsaPages) {
  int cases = 0;
  for (const Json& vector : vectors().at("vmsa")) {
    const VcpuState state{*vcpu_signature(text(vector, "type")), number(vector, "guest_features"),
                          vmm_of(text(vector, "vmm"))};
    EXPECT_EQ(state.signature, number(vector, "sig"));
    EXPECT_EQ(hex(sha384(vmsa_page(state, kFirstEip))), text(vector, "bsp_sha384")) << vector;
    EXPECT_EQ(hex(sha384(vmsa_page(state, 0x80b004))), text(vector, "ap_sha384")) << vector;
    ++cases;
  }
  EXPECT_EQ(cases, 30);
}

TEST(SnpVectors, LaunchDigests) {
  int cases = 0;
  for (const Json& vector : vectors().at("snp")) {
    const auto launch = must(measure_launch(debian_firmware(text(vector, "ovmf")),
                                            kernel_of(text(vector, "files"), vector.at("cmdline")),
                                            params_of(vector), kLimits));
    EXPECT_EQ(hex(launch.digests.at(0).digest), text(vector, "digest")) << vector;
    ++cases;
  }
  EXPECT_EQ(cases, 20);
}

TEST(SnpVectors, FirmwareWithoutHashesRefusesAKernel) {
  const auto measured =
      measure_launch(debian_firmware("ovmf"), kernel_of("small", ""), {}, kLimits);
  ASSERT_FALSE(measured.has_value());
  EXPECT_EQ(measured.error().code(), Code::unsupported);
}

struct ExpectedLine {
  std::string kind, model;
  LaunchParams params;
  bool kernel = false;
  std::string digest;
};
std::vector<ExpectedLine> expected_lines() {
  const std::string table = must(read_text_file(snp_data() / "expected.tsv", 1 << 20));
  std::vector<ExpectedLine> out;
  for (std::string_view line : split(table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto column = split(line, '\t');
    ExpectedLine one;
    one.kind = column.at(0);
    one.params.vmm = vmm_of(std::string(column.at(1)));
    one.params.vcpu_signature = *vcpu_signature(column.at(2));
    one.params.guest_features = std::stoull(std::string(column.at(3)), nullptr, 16);
    one.params.vcpus = {static_cast<std::uint32_t>(*parse_u64(column.at(4)))};
    one.kernel = column.at(5) == "test";
    one.digest = column.at(6);
    out.push_back(std::move(one));
  }
  return out;
}

TEST(SnpFixtures, AreMeasuredAsComputedElsewhere) {
  const Bytes image = snp_file("firmware.bin");
  const Firmware firmware = must(parse_firmware(image, kLimits));
  const KernelHashes kernel = KernelHashes::of(snp_file("kernel.bin"), snp_file("initrd.bin"),
                                               "console=ttyS0 panic=-1 cloister.test=1");
  std::map<std::string, int> cases;
  for (const ExpectedLine& line : expected_lines()) {
    const auto booted = line.kernel ? std::optional(kernel) : std::nullopt;
    ++cases[line.kind];
    if (line.kind == "snp") {
      const auto launch = must(measure_launch(firmware, booted, line.params, kLimits));
      EXPECT_EQ(hex(launch.digests.at(0).digest), line.digest) << cases[line.kind];
    } else if (line.kind == "sev") {
      EXPECT_EQ(must(measure_sev(image, firmware, booted)).hex(), line.digest);
    } else {
      EXPECT_EQ(must(measure_sev_es(image, firmware, booted, line.params, line.params.vcpus.at(0),
                                    kLimits))
                    .hex(),
                line.digest);
    }
  }
  EXPECT_EQ(cases, (std::map<std::string, int>{{"sev", 1}, {"sev-es", 2}, {"snp", 48}}));
}

// Debian's file itself, where CLOISTER_OVMF_AMDSEV names it.
class DebianFirmware : public testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("CLOISTER_OVMF_AMDSEV");  // NOLINT: single-threaded test
    if (named == nullptr) GTEST_SKIP() << "CLOISTER_OVMF_AMDSEV names no OVMF.amdsev.fd";
    image_ = must(read_file(named, kLimits.firmware_bytes));
    if (sha256(image_).hex() != text(vectors().at("inputs").at("OVMF.amdsev.fd"), "sha256"))
      GTEST_SKIP() << named << " is of another version than the vectors";
  }
  Bytes image_;
};

TEST_F(DebianFirmware, ParsesAsTheOtherTestsSay) {
  const Firmware firmware = must(parse_firmware(image_, kLimits));
  const Firmware want = debian_firmware("amdsev");
  EXPECT_EQ(firmware.size, want.size);
  EXPECT_EQ(firmware.digest, want.digest);
  EXPECT_EQ(firmware.reset_eip, want.reset_eip);
  EXPECT_EQ(firmware.hash_table, want.hash_table);
  EXPECT_EQ(firmware.sections, want.sections);
}

TEST_F(DebianFirmware, SevAndSevEs) {
  const Firmware firmware = must(parse_firmware(image_, kLimits));
  for (const Json& vector : vectors().at("sev"))
    EXPECT_EQ(
        must(measure_sev(image_, firmware, kernel_of(text(vector, "files"), vector.at("cmdline"))))
            .hex(),
        text(vector, "digest"));
  for (const Json& vector : vectors().at("sev_es")) {
    LaunchParams params;
    params.vcpu_signature = *vcpu_signature(text(vector, "type"));
    EXPECT_EQ(must(measure_sev_es(image_, firmware,
                                  kernel_of(text(vector, "files"), vector.at("cmdline")), params,
                                  vector.at("vcpus").get<std::uint32_t>(), kLimits))
                  .hex(),
              text(vector, "digest"));
  }
}

}  // namespace
}  // namespace cloister::measure::snp
