// gABI, "Dynamic Section", read as glibc's loader reads it: through virtual addresses, the last
// entry of a kind wins, and DT_STRSZ is not looked at. The latter matters: a loader whose RUNPATH
// was set in place points behind its string table, with an offset that wraps around 2^64.
//
// Trap: DT_NEEDED may come before DT_STRTAB, so the strings are resolved afterwards.
#include "measure/elf/dynamic.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::measure::elf {
namespace {

constexpr std::size_t kEntrySize = 16;
constexpr std::size_t kStringBudget = 1U << 20;  // bytes of names from one file

enum Tag : std::uint64_t {
  kNull = 0,
  kNeeded = 1,
  kHash = 4,
  kStrtab = 5,
  kSymtab = 6,
  kSoname = 14,
  kRpath = 15,
  kRunpath = 29,
  kFlags = 30,
  kGnuHash = 0x6ffffef5,
  kVerdef = 0x6ffffffc,
  kVerneed = 0x6ffffffe,
  kFlags1 = 0x6ffffffb,
  kDepaudit = 0x6ffffefb,
  kAudit = 0x6ffffefc,
  kAuxiliary = 0x7ffffffd,
  kFilter = 0x7fffffff,
};

void apply(DynamicTable& out, std::uint64_t tag, std::uint64_t value) {
  switch (tag) {
    case kNeeded:
      out.needed.push_back(value);
      break;
    case kStrtab:
      out.strings = value;
      break;
    case kSymtab:
      out.symbols = value;
      break;
    case kHash:
      out.hash = value;
      break;
    case kGnuHash:
      out.gnu_hash = value;
      break;
    case kSoname:
      out.soname = value;
      break;
    case kRpath:
      out.rpath = value;
      break;
    case kRunpath:
      out.runpath = value;
      break;
    case kFlags:
      out.flags = value;
      break;
    case kFlags1:
      out.flags_1 = value;
      break;
    case kVerneed:
      out.version_needs = value;
      break;
    case kVerdef:
      out.version_definitions = value;
      break;
    case kAudit:
      out.audit = value;
      break;
    case kDepaudit:
      out.depaudit = value;
      break;
    case kAuxiliary:
      out.auxiliaries.push_back(value);
      break;
    case kFilter:
      out.filters.push_back(value);
      break;
    default:
      break;
  }
}

}  // namespace

Result<DynamicTable> read_dynamic(const Memory& memory, const ProgramHeader& dynamic,
                                  const Limits& limits) {
  const auto bytes = memory.at(dynamic.vaddr, dynamic.file_size);
  if (!bytes) return Error::corrupt("ELF dynamic section lies outside the loaded file");
  ByteReader in(*bytes);
  DynamicTable out;
  for (std::size_t count = 0; in.remaining() >= kEntrySize; ++count) {
    if (count >= limits.elf_dynamic)
      return Error::limit(
          cat("ELF dynamic section has more than ", limits.elf_dynamic, " entries"));
    const std::uint64_t tag = in.u64(), value = in.u64();
    if (tag == kNull) return out;
    apply(out, tag, value);
    if (out.needed.size() + out.filters.size() + out.auxiliaries.size() > limits.elf_needed)
      return Error::limit(cat("ELF file needs more than ", limits.elf_needed, " libraries"));
  }
  return Error::corrupt("ELF dynamic section has no end (DT_NULL)");
}

Strings::Strings(const Memory& memory, std::uint64_t table, const Limits& limits)
    : memory_(memory), table_(table), max_(limits.elf_string_bytes), budget_(kStringBudget) {}

Result<std::string> Strings::at(std::uint64_t offset) {
  const auto bytes =
      memory_.at(table_ + offset);  // wraps on purpose, as the loader's addition does
  if (!bytes) return Error::corrupt(cat("ELF string at offset ", offset, " lies outside the file"));
  const ByteView window = bytes->first(std::min(bytes->size(), max_ + 1));
  const auto end = std::find(window.begin(), window.end(), std::byte{0});
  if (end == window.end() && window.size() > max_)
    return Error::limit(cat("ELF string longer than ", max_, " bytes"));
  if (end == window.end())
    return Error::corrupt(cat("ELF string at offset ", offset, " has no end"));
  const auto size = static_cast<std::size_t>(end - window.begin());
  if (size > budget_)
    return Error::limit(cat("ELF file with more than ", kStringBudget, " bytes of names"));
  budget_ -= size;
  return std::string(as_text(window.first(size)));
}

}  // namespace cloister::measure::elf
