// Firmware images byte by byte, right ones and wrong ones: the metadata at the start of the last
// page, the table before the reset vector at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "measure/snp/firmware.h"
#include "measure/snp/guid.h"
#include "measure/snp/launch_hasher.h"

namespace cloister::measure::snp {

inline const Limits kLimits;

inline constexpr Guid kResetBlockGuid = guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
inline constexpr Guid kHashAreaGuid = guid("7255371f-3a3b-4b04-927b-1da6efa8d454");
inline constexpr Guid kMetadataGuid = guid("dc886566-984a-4798-a75e-5585a7bf67cc");
inline constexpr Guid kFooterGuid = guid("96b582de-1fb2-45f7-baea-a366c55a082d");

struct FirmwareBuilder {
  std::uint64_t pages = 1;
  std::optional<std::uint32_t> reset_eip = 0x80b004;
  std::optional<HashTableArea> hash_table = HashTableArea{0x810c00, 0x400};
  std::vector<Section> sections = {{0x800000, 0x3000, SectionType::sec_mem},
                                   {0x80d000, 0x1000, SectionType::secrets},
                                   {0x80e000, 0x1000, SectionType::cpuid},
                                   {0x810000, 0x1000, SectionType::kernel_hashes}};
  // As they are written, where they are not what follows from the above.
  std::string_view magic = "ASEV";
  std::uint32_t version = 1, metadata_from_end = 4096;
  std::optional<std::uint32_t> metadata_size, section_count;
  std::optional<std::uint16_t> table_size;
  Guid footer = kFooterGuid;
  std::vector<std::pair<Guid, Bytes>> more;  // further entries, first in the table

  Bytes build() const {
    const Bytes head = metadata(), tail = table();
    ByteWriter out;
    out.zeros((pages - 1) * kPageSize);
    out.bytes(head);
    out.zeros(kPageSize - head.size() - tail.size() - 32);
    out.bytes(tail);
    out.zeros(32);
    return out.take();
  }

 private:
  static void entry(ByteWriter& out, const Guid& name, const Bytes& data) {
    out.bytes(data);
    out.u16(static_cast<std::uint16_t>(data.size() + 18));
    out.bytes(name);
  }
  static Bytes numbers(std::initializer_list<std::uint32_t> values) {
    ByteWriter out;
    for (const std::uint32_t value : values) out.u32(value);
    return out.take();
  }

  Bytes metadata() const {
    const auto count = static_cast<std::uint32_t>(sections.size());
    ByteWriter out;
    out.text(magic);
    out.u32(metadata_size.value_or(16 + 12 * count));
    out.u32(version);
    out.u32(section_count.value_or(count));
    for (const Section& section : sections)
      out.bytes(numbers({section.gpa, section.size, static_cast<std::uint32_t>(section.type)}));
    return out.take();
  }

  Bytes table() const {
    ByteWriter out;
    for (const auto& [name, data] : more) entry(out, name, data);
    if (!sections.empty()) entry(out, kMetadataGuid, numbers({metadata_from_end}));
    if (hash_table) entry(out, kHashAreaGuid, numbers({hash_table->gpa, hash_table->size}));
    if (reset_eip) entry(out, kResetBlockGuid, numbers({*reset_eip}));
    out.u16(table_size.value_or(static_cast<std::uint16_t>(out.size() + 18)));
    out.bytes(footer);
    return out.take();
  }
};

}  // namespace cloister::measure::snp
