#include "measure/elf/module_info.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "measure/elf/header.h"

namespace cloister::measure::elf {
namespace {

// ELF gABI, "ELF Header" and "Sections", 64-bit.
constexpr std::size_t kSectionOffsetField = 0x28, kSectionSizeField = 0x3a;
constexpr std::size_t kModuleSectionSize = 64;
constexpr std::string_view kModuleInfoSection = ".modinfo";

struct ModuleSection {
  std::uint32_t name = 0;
  std::uint64_t offset = 0, size = 0;
};

std::optional<ModuleSection> module_section_at(ByteView table, std::size_t index) {
  const auto bytes = slice(table, index * kModuleSectionSize, kModuleSectionSize);
  if (!bytes) return std::nullopt;
  ByteReader in(*bytes);
  ModuleSection out;
  out.name = in.u32();
  in.skip(20);  // type, flags, address
  out.offset = in.u64();
  out.size = in.u64();
  return out;
}

std::string_view module_text_at(ByteView bytes, std::size_t offset) {
  if (offset >= bytes.size()) return {};
  const std::string_view rest = as_text(bytes.subspan(offset));
  return rest.substr(0, rest.find('\0'));
}

std::optional<ByteView> find_section(ByteView file, std::string_view wanted) {
  const auto fields = slice(file, kSectionSizeField, 6);
  const auto offset_field = slice(file, kSectionOffsetField, 8);
  if (!fields || !offset_field) return std::nullopt;
  ByteReader in(*fields);
  const std::uint16_t entry_size = in.u16(), count = in.u16(), names_index = in.u16();
  if (entry_size != kModuleSectionSize) return std::nullopt;
  const auto table = slice(file, ByteReader(*offset_field).u64(), count * kModuleSectionSize);
  const auto names = table ? module_section_at(*table, names_index) : std::nullopt;
  const auto name_bytes = names ? slice(file, names->offset, names->size) : std::nullopt;
  if (!name_bytes) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const auto section = module_section_at(*table, i);
    if (section && module_text_at(*name_bytes, section->name) == wanted)
      return slice(file, section->offset, section->size);
  }
  return std::nullopt;
}

void take_names(std::string_view list, std::size_t most, std::vector<std::string>& out) {
  for (const std::string_view name : split(list, ','))
    if (!name.empty() && out.size() < most) out.emplace_back(name);
}

}  // namespace

Result<ModuleInfo> read_module_info(ByteView module, const Limits& limits) {
  CL_TRY(const Identity identity, read_identity(module));
  if (!identity.is_64 || !identity.little_endian)
    return Error::corrupt("a kernel module is not a 64-bit little-endian ELF file");
  const auto section = find_section(module, kModuleInfoSection);
  if (!section) return Error::corrupt("a kernel module says nothing of itself: it has no .modinfo");
  ModuleInfo out;
  for (const std::string_view entry : split(as_text(*section), '\0')) {
    if (entry.size() > limits.elf_string_bytes)
      return Error::limit("a text in .modinfo of a kernel module is too long");
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = entry.substr(0, equals), value = entry.substr(equals + 1);
    // The first is the one that counts, as in the kernel (get_modinfo()).
    if (key == "name" && out.name.empty()) out.name = value;
    if (key == "vermagic" && out.vermagic.empty()) out.vermagic = value;
    if (key == "depends") take_names(value, limits.kernel_modules, out.depends);
  }
  if (out.name.empty()) return Error::corrupt("a kernel module does not say its name");
  return out;
}

}  // namespace cloister::measure::elf
