#include "measure/snp/firmware.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/measure/snp/firmware_builder.h"

namespace cloister::measure::snp {
namespace {

// "CODE: what it says" of an image that must fail.
std::string failure(const Bytes& image, const Limits& limits = kLimits) {
  const auto parsed = parse_firmware(image, limits);
  if (parsed.has_value()) return "parsed";
  const char* code = parsed.error().code() == Code::corrupt       ? "corrupt: "
                     : parsed.error().code() == Code::unsupported ? "unsupported: "
                     : parsed.error().code() == Code::limit       ? "limit: "
                                                                  : "other: ";
  return code + parsed.error().what();
}

TEST(SnpGuid, IsStoredInMixedOrder) {
  EXPECT_EQ(hex(ByteView(kFooterGuid)), "de82b596b21ff745baeaa366c55a082d");
}

TEST(SnpFirmware, IsWhatItsTablesSay) {
  FirmwareBuilder builder;
  builder.pages = 3;
  builder.more.emplace_back(guid("11111111-2222-3333-4444-555555555555"), to_bytes("other"));
  const Firmware firmware = must(parse_firmware(builder.build(), kLimits));
  EXPECT_EQ(firmware.size, 3 * 4096U);
  EXPECT_EQ(firmware.gpa(), 0xffffd000U);
  EXPECT_EQ(firmware.reset_eip, 0x80b004U);
  EXPECT_EQ(firmware.hash_table, (HashTableArea{0x810c00, 0x400}));
  EXPECT_EQ(firmware.sections, builder.sections);
  ASSERT_NE(firmware.section(SectionType::cpuid), nullptr);
  EXPECT_EQ(firmware.section(SectionType::cpuid)->gpa, 0x80e000U);
  EXPECT_EQ(firmware.section(SectionType::svsm_caa), nullptr);
}

TEST(SnpFirmware, MayHaveAnEmptyTable) {
  FirmwareBuilder builder;
  builder.reset_eip.reset();
  builder.hash_table.reset();
  builder.sections.clear();
  const Firmware firmware = must(parse_firmware(builder.build(), kLimits));
  EXPECT_EQ(firmware.reset_eip, std::nullopt);
  EXPECT_EQ(firmware.hash_table, std::nullopt);
  EXPECT_TRUE(firmware.sections.empty());
}

TEST(SnpFirmware, AreaForHashesAtZeroIsNone) {
  FirmwareBuilder builder;
  builder.hash_table = HashTableArea{0, 0};
  EXPECT_EQ(must(parse_firmware(builder.build(), kLimits)).hash_table, std::nullopt);
}

TEST(SnpFirmware, SectionsMayBeEmpty) {
  FirmwareBuilder builder;
  builder.sections.push_back({0, 0, SectionType::svsm_caa});
  builder.sections.push_back({0, 0, SectionType::sec_mem});
  EXPECT_EQ(must(parse_firmware(builder.build(), kLimits)).sections.size(), 6U);
}

TEST(SnpFirmware, ConsistsOfPages) {
  const Bytes good = FirmwareBuilder().build();
  EXPECT_EQ(failure({}), "corrupt: the firmware does not consist of whole pages");
  Bytes longer = good;
  longer.resize(longer.size() + 1);
  EXPECT_EQ(failure(longer), "corrupt: the firmware does not consist of whole pages");
  Limits limits;
  limits.firmware_bytes = 4095;
  EXPECT_EQ(failure(good, limits), "limit: the firmware is too large");
}

TEST(SnpFirmware, EndsInATable) {
  EXPECT_EQ(failure(Bytes(8192)),
            "corrupt: the firmware has no table of OVMF's before its reset vector");
  FirmwareBuilder builder;
  for (const int size : {0, 17, 4065, 0xffff}) {
    builder.table_size = static_cast<std::uint16_t>(size);
    EXPECT_EQ(failure(builder.build()),
              "corrupt: the firmware's table has an entry of an impossible size")
        << size;
  }
  builder.table_size = 30;  // ends within an entry
  EXPECT_EQ(failure(builder.build()),
            "corrupt: table of the firmware is truncated or malformed at "
            "byte 0 of 12");
}

TEST(SnpFirmware, EntriesAreWholeAndUnique) {
  FirmwareBuilder twice;
  twice.more.emplace_back(kResetBlockGuid, Bytes(4));
  EXPECT_EQ(failure(twice.build()), "corrupt: the firmware's table has an entry twice");
  for (const Guid& name : {kResetBlockGuid, kHashAreaGuid, kMetadataGuid}) {
    FirmwareBuilder shorter;
    shorter.reset_eip.reset();
    shorter.hash_table.reset();
    shorter.sections.clear();
    shorter.more.emplace_back(name, Bytes(3));
    EXPECT_NE(failure(shorter.build()).find("is truncated or malformed at byte"),
              std::string::npos);
  }
  Limits few;
  few.firmware_entries = 2;
  EXPECT_EQ(failure(FirmwareBuilder().build(), few),
            "limit: the firmware's table has too many entries");
}

TEST(SnpFirmware, MetadataLiesInside) {
  const auto with = [](auto change) {
    FirmwareBuilder builder;
    change(builder);
    return failure(builder.build());
  };
  EXPECT_EQ(with([](auto& b) { b.metadata_from_end = 4097; }),
            "corrupt: the firmware's SEV metadata lies outside of it");
  EXPECT_EQ(with([](auto& b) { b.metadata_from_end = 0xffffffff; }),
            "corrupt: the firmware's SEV metadata lies outside of it");
  EXPECT_EQ(with([](auto& b) { b.metadata_from_end = 15; }),
            "corrupt: SEV metadata is truncated or malformed at byte 12 of 15");
  EXPECT_EQ(with([](auto& b) { b.magic = "VESA"; }),
            "corrupt: the firmware's SEV metadata is none");
  EXPECT_EQ(with([](auto& b) { b.version = 2; }),
            "unsupported: the firmware's SEV metadata is of another version");
  EXPECT_EQ(with([](auto& b) { b.section_count = 0xffffffff; }),
            "limit: the firmware's SEV metadata has too many sections");
  EXPECT_EQ(with([](auto& b) { b.section_count = 5; }),
            "corrupt: the firmware's SEV metadata is shorter than its sections");
  EXPECT_EQ(with([](auto& b) {
              b.section_count = 400;
              b.metadata_size = 16 + 400 * 12;
            }).substr(0, 13),
            "unsupported: ");  // reads on into zeros, and a type 0
}

TEST(SnpFirmware, SectionsAreWholePagesOfKnownTypes) {
  const auto with = [](std::vector<Section> sections) {
    FirmwareBuilder builder;
    builder.sections = std::move(sections);
    return failure(builder.build());
  };
  EXPECT_EQ(with({{0x1000, 0x1000, static_cast<SectionType>(5)}}),
            "unsupported: the firmware wants memory of type 0x5");
  EXPECT_EQ(with({{0x1000, 0x1000, static_cast<SectionType>(0)}}),
            "unsupported: the firmware wants memory of type 0x0");
  const std::string uneven = "corrupt: the firmware wants memory that is not of whole pages";
  EXPECT_EQ(with({{0x1001, 0x1000, SectionType::sec_mem}}), uneven);
  EXPECT_EQ(with({{0x1000, 0x1001, SectionType::sec_mem}}), uneven);
  EXPECT_EQ(with({{0x1000, 0x2000, SectionType::secrets}}), uneven);
  EXPECT_EQ(with({{0x1000, 0x2000, SectionType::cpuid}}), uneven);
  EXPECT_EQ(with({{0x1000, 0x2000, SectionType::kernel_hashes}}), uneven);
  EXPECT_EQ(with({{0x1000, 0x5000000, SectionType::sec_mem}}),
            "limit: the firmware wants too much memory at launch");
}

TEST(SnpFirmware, MemoryIsAddedOnce) {
  const auto with = [](std::vector<Section> sections) {
    FirmwareBuilder builder;
    builder.sections = std::move(sections);
    return failure(builder.build());
  };
  const std::string twice = "corrupt: the firmware wants the same memory twice";
  EXPECT_EQ(with({{0x3000, 0x2000, SectionType::sec_mem}, {0x2000, 0x2000, SectionType::sec_mem}}),
            twice);
  EXPECT_EQ(with({{0xffffe000, 0x2000, SectionType::sec_mem}}), twice);  // with the firmware
  EXPECT_EQ(with({{0xfffff000, 0x2000, SectionType::sec_mem}}), twice);  // and beyond 4 GiB
  EXPECT_EQ(with({{0x3000, 0x1000, SectionType::sec_mem}, {0x2000, 0x1000, SectionType::sec_mem}}),
            "parsed");
}

}  // namespace
}  // namespace cloister::measure::snp
