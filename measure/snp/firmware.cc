// The table stands before the last 32 bytes, the reset vector, and is read backwards: an entry is
// data, its size with this header (two bytes), and a GUID; the last entry has the footer's GUID and
// the size of the whole table. The metadata is somewhere in the image, so many bytes before its
// end: "ASEV", its size, version, number of sections, and then address, size and type of each. All
// numbers are little-endian.
//
// Traps: the order of sections is that of the launch, and differs between builds. Sections without
// a page are usual. An area for hashes at address 0 means that there is none.
#include "measure/snp/firmware.h"

#include <algorithm>

#include "base/text.h"
#include "measure/snp/guid.h"
#include "measure/snp/launch_hasher.h"

namespace cloister::measure::snp {
namespace {

constexpr Guid kFooter = guid("96b582de-1fb2-45f7-baea-a366c55a082d");
constexpr Guid kResetBlock = guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
constexpr Guid kHashTableArea = guid("7255371f-3a3b-4b04-927b-1da6efa8d454");
constexpr Guid kSevMetadata = guid("dc886566-984a-4798-a75e-5585a7bf67cc");

constexpr std::uint64_t kResetVectorSize = 32;
constexpr std::uint64_t kEntryHeaderSize = 18;
constexpr std::uint64_t kMetadataHeaderSize = 16, kSectionSize = 12;
constexpr std::uint32_t kMetadataVersion = 1;

struct TableEntry {
  Guid guid{};
  ByteView data;
};

// The entry that ends at the end of `table`.
Result<TableEntry> last_entry(ByteView table) {
  ByteReader in(table);
  in.seek(table.size() - kEntryHeaderSize);
  const std::uint64_t size = in.u16();
  const ByteView name = in.bytes(Guid{}.size());
  CL_CHECK(in.finish("table of the firmware"));
  if (size < kEntryHeaderSize || size > table.size())
    return Error::corrupt("the firmware's table has an entry of an impossible size")
        .detail(cat("got ", size, " bytes, of ", table.size(), " that are left"));
  TableEntry entry;
  std::copy(name.begin(), name.end(), entry.guid.begin());
  entry.data = table.subspan(table.size() - size, size - kEntryHeaderSize);
  return entry;
}

// What lies before the footer, which counts itself.
Result<ByteView> table_of(ByteView image) {
  constexpr const char* kHint = "OVMF in one file is wanted, with its code at the end";
  if (image.size() < kResetVectorSize + kEntryHeaderSize)
    return Error::corrupt("the firmware is too short to be one").hint(kHint);
  const ByteView until_vector = image.first(image.size() - kResetVectorSize);
  if (!std::ranges::equal(until_vector.last(kFooter.size()), ByteView(kFooter)))
    return Error::corrupt("the firmware has no table of OVMF's before its reset vector")
        .hint(kHint);
  CL_TRY(const TableEntry whole, last_entry(until_vector));
  return whole.data;
}

Status read_sections(ByteView image, std::uint32_t from_end, const Limits& limits,
                     std::vector<Section>& out) {
  if (from_end > image.size())
    return Error::corrupt("the firmware's SEV metadata lies outside of it")
        .detail(cat("at ", from_end, " bytes before the end of ", image.size()));
  ByteReader in(image.last(from_end));
  const ByteView magic = in.bytes(4);
  const std::uint64_t size = in.u32();
  const std::uint32_t version = in.u32();
  const std::uint32_t count = in.u32();
  CL_CHECK(in.finish("SEV metadata"));
  if (as_text(magic) != "ASEV") return Error::corrupt("the firmware's SEV metadata is none");
  if (version != kMetadataVersion)
    return Error::unsupported("the firmware's SEV metadata is of another version")
        .detail(cat("got ", version, ", want ", kMetadataVersion));
  if (count > limits.firmware_entries)
    return Error::limit("the firmware's SEV metadata has too many sections")
        .detail(cat("got ", count, ", at most ", limits.firmware_entries));
  if (size < kMetadataHeaderSize + count * kSectionSize)
    return Error::corrupt("the firmware's SEV metadata is shorter than its sections")
        .detail(cat("got ", size, " bytes for ", count, " sections"));
  for (std::uint32_t i = 0; i < count; ++i) {
    Section section;
    section.gpa = in.u32();
    section.size = in.u32();
    const std::uint32_t type = in.u32();
    CL_CHECK(in.finish("SEV metadata"));
    if ((type < 1 || type > 4) && type != static_cast<std::uint32_t>(SectionType::kernel_hashes))
      return Error::unsupported(cat("the firmware wants memory of type ", hex_number(type)))
          .detail("known are 1 to 4 and 0x10");
    section.type = static_cast<SectionType>(type);
    out.push_back(section);
  }
  return {};
}

bool single_page(SectionType type) {
  return type == SectionType::secrets || type == SectionType::cpuid ||
         type == SectionType::kernel_hashes;
}

// Memory is added once: a launch with two sections in one place would fail.
Status check_sections(const Firmware& firmware, const Limits& limits) {
  std::uint64_t all = 0;
  std::vector<Section> sorted;
  for (const Section& section : firmware.sections) {
    if (section.gpa % kPageSize != 0 || section.size % kPageSize != 0 ||
        (single_page(section.type) && section.size > kPageSize))
      return Error::corrupt("the firmware wants memory that is not of whole pages")
          .detail(cat("got ", section.size, " bytes at ", hex_number(section.gpa), ", type ",
                      static_cast<std::uint32_t>(section.type)));
    all += section.size;
    if (section.size != 0) sorted.push_back(section);
  }
  if (all > limits.firmware_bytes)
    return Error::limit("the firmware wants too much memory at launch")
        .detail(cat("got ", all, " bytes, at most ", limits.firmware_bytes));
  std::ranges::sort(sorted, {}, &Section::gpa);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::uint64_t end = std::uint64_t{sorted[i].gpa} + sorted[i].size;
    if (end > (i + 1 < sorted.size() ? sorted[i + 1].gpa : firmware.gpa()))
      return Error::corrupt("the firmware wants the same memory twice")
          .detail(cat("from ", hex_number(sorted[i].gpa), " to ", hex_number(end)));
  }
  return {};
}

// Fills a Firmware from the entries of its table.
class TableReader {
 public:
  TableReader(ByteView image, const Limits& limits, Firmware& out)
      : image_(image), limits_(limits), out_(out) {}

  Status run(ByteView table) {
    std::vector<Guid> seen;
    while (!table.empty()) {
      CL_TRY(const TableEntry entry, last_entry(table));
      if (seen.size() == limits_.firmware_entries)
        return Error::limit("the firmware's table has too many entries")
            .detail(cat("at most ", limits_.firmware_entries));
      if (std::ranges::find(seen, entry.guid) != seen.end())
        return Error::corrupt("the firmware's table has an entry twice");
      seen.push_back(entry.guid);
      CL_CHECK(take(entry));
      table = table.first(table.size() - entry.data.size() - kEntryHeaderSize);
    }
    return {};
  }

 private:
  Status take(const TableEntry& entry) {
    ByteReader in(entry.data);
    if (entry.guid == kResetBlock) {
      out_.reset_eip = in.u32();
      return in.finish("SEV-ES reset block");
    }
    if (entry.guid == kHashTableArea) {
      HashTableArea area;
      area.gpa = in.u32();
      area.size = in.u32();
      if (area.gpa != 0) out_.hash_table = area;
      return in.finish("area for the hashes of the kernel");
    }
    if (entry.guid == kSevMetadata) {
      const std::uint32_t from_end = in.u32();
      CL_CHECK(in.finish("place of the SEV metadata"));
      return read_sections(image_, from_end, limits_, out_.sections);
    }
    return {};  // of others nothing is measured
  }

  ByteView image_;
  const Limits& limits_;
  Firmware& out_;
};

}  // namespace

const Section* Firmware::section(SectionType type) const {
  const auto at = std::ranges::find(sections, type, &Section::type);
  return at == sections.end() ? nullptr : &*at;
}

Result<Firmware> parse_firmware(ByteView bytes, const Limits& limits) {
  if (bytes.size() > limits.firmware_bytes)
    return Error::limit("the firmware is too large")
        .detail(cat("got ", bytes.size(), " bytes, at most ", limits.firmware_bytes));
  if (bytes.empty() || bytes.size() % kPageSize != 0)
    return Error::corrupt("the firmware does not consist of whole pages")
        .detail(cat("got ", bytes.size(), " bytes, want a multiple of ", kPageSize));
  Firmware firmware;
  firmware.size = bytes.size();
  CL_TRY(const ByteView table, table_of(bytes));
  CL_CHECK(TableReader(bytes, limits, firmware).run(table));
  CL_CHECK(check_sections(firmware, limits));
  LaunchHasher hasher;
  hasher.add(PageType::normal, firmware.gpa(), bytes);
  firmware.digest = hasher.digest();
  return firmware;
}

}  // namespace cloister::measure::snp
