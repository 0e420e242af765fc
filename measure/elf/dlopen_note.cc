// Notes are found by type and owner, wherever they are (gABI, "Note Section"): name and description
// are padded to 4 bytes, to 8 in a segment with that alignment.
//
// The specification grew: one object at first, an array of objects today; "soname" one string, or
// an array of alternatives, best first. Both spellings of both are in use. A priority that is not
// known counts as absent, which means "recommended".
#include "measure/elf/dlopen_note.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json.h"

namespace cloister::measure::elf {
namespace {

constexpr std::uint32_t kNoteType = 0x407c0c0a;
constexpr std::string_view kOwner("FDO\0", 4);
constexpr std::uint32_t kSectionNote = 7;  // SHT_NOTE
constexpr std::string_view kSectionName = ".note.dlopen";
constexpr std::size_t kSectionHeaderSize = 64, kMaxSections = 4096, kMaxNotes = 4096;

DlopenNote::Priority priority_of(std::string_view text) {
  if (text == "required") return DlopenNote::Priority::required;
  if (text == "suggested") return DlopenNote::Priority::suggested;
  return DlopenNote::Priority::recommended;
}

Result<std::vector<std::string>> sonames_of(const Json& object) {
  const auto at = object.find("soname");
  if (at != object.end() && at->is_string()) {
    CL_TRY(auto one, get_string(object, "soname"));
    return std::vector<std::string>{std::move(*one)};
  }
  return get_strings(object, "soname");
}

Result<DlopenNote> feature_of(const Json& object) {
  DlopenNote note;
  CL_TRY(note.sonames, sonames_of(object));
  std::erase_if(note.sonames, [](const std::string& name) {
    return name.empty() || name.find('\0') != std::string::npos;
  });
  CL_TRY(auto feature, get_string(object, "feature"));
  CL_TRY(auto description, get_string(object, "description"));
  CL_TRY(auto priority, get_string(object, "priority"));
  note.feature = feature.value_or("");
  note.description = description.value_or("");
  note.priority = priority_of(priority.value_or(""));
  return note;
}

std::uint64_t padding(std::uint64_t size, std::uint64_t alignment) {
  return (alignment - size % alignment) % alignment;
}

// The descriptions of our kind in one run of notes.
void collect(ByteView notes, std::uint64_t alignment, const Limits& limits,
             std::vector<DlopenNote>& out) {
  ByteReader in(notes);
  for (std::size_t n = 0; n < kMaxNotes && in.remaining() >= 12; ++n) {
    const std::uint32_t name_size = in.u32(), size = in.u32(), type = in.u32();
    const ByteView name = in.bytes(name_size);
    in.skip(std::min(padding(12 + std::uint64_t{name_size}, alignment), in.remaining()));
    const ByteView description = in.bytes(size);
    in.skip(std::min(padding(size, alignment), in.remaining()));
    if (!in.ok()) return;
    if (type != kNoteType || as_text(name) != kOwner) continue;
    std::string_view json = as_text(description);
    json = json.substr(0, json.find('\0'));
    auto features = parse_dlopen_note(json, limits);
    if (!features.has_value()) continue;
    for (DlopenNote& feature : *features) {
      if (out.size() >= limits.elf_evidence) return;
      out.push_back(std::move(feature));
    }
  }
}

struct Section {
  std::uint32_t name = 0, type = 0;
  std::uint64_t offset = 0, size = 0;
};

std::optional<Section> read_section(ByteView file, std::uint64_t table, std::uint64_t index) {
  std::uint64_t offset = 0;
  if (!checked_add<std::uint64_t>(table, index * kSectionHeaderSize, offset)) return std::nullopt;
  const auto bytes = slice(file, offset, kSectionHeaderSize);
  if (!bytes) return std::nullopt;
  ByteReader in(*bytes);
  Section out;
  out.name = in.u32();
  out.type = in.u32();
  in.skip(8 + 8);  // sh_flags, sh_addr
  out.offset = in.u64();
  out.size = in.u64();
  return out;
}

void collect_sections(ByteView file, const Limits& limits, std::vector<DlopenNote>& out) {
  ByteReader in(file);
  in.seek(40);
  const std::uint64_t table = in.u64();
  in.seek(58);
  const std::uint16_t entry_size = in.u16(), count = in.u16(), names_index = in.u16();
  if (!in.ok() || table == 0 || entry_size != kSectionHeaderSize || count > kMaxSections) return;
  const auto names_section = read_section(file, table, names_index);
  if (!names_section) return;
  const auto names = slice(file, names_section->offset, names_section->size);
  if (!names) return;
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto section = read_section(file, table, i);
    if (!section) return;
    if (section->type != kSectionNote || section->name >= names->size()) continue;
    const std::string_view name = as_text(names->subspan(section->name));
    if (name.substr(0, name.find('\0')) != kSectionName) continue;
    if (const auto notes = slice(file, section->offset, section->size))
      collect(*notes, 4, limits, out);
  }
}

}  // namespace

std::vector<DlopenNote> read_dlopen_notes(ByteView file, const Headers& headers,
                                          const Limits& limits) {
  std::vector<DlopenNote> out;
  for (const ProgramHeader& p : headers.program_headers) {
    if (p.type != kNote) continue;
    if (const auto notes = slice(file, p.offset, p.file_size))
      collect(*notes, p.alignment == 8 ? 8 : 4, limits, out);
  }
  if (out.empty()) collect_sections(file, limits, out);
  return out;
}

Result<std::vector<DlopenNote>> parse_dlopen_note(std::string_view json, const Limits& limits) {
  CL_TRY(const Json document, parse_json(json, limits, "note about dlopen"));
  std::vector<DlopenNote> out;
  const auto add = [&](const Json& object) -> Status {
    if (!object.is_object()) return Error::corrupt("note about dlopen: a feature is no object");
    CL_TRY(DlopenNote note, feature_of(object));
    if (!note.sonames.empty()) out.push_back(std::move(note));
    return {};
  };
  if (!document.is_array()) {
    CL_CHECK(add(document));
    return out;
  }
  for (const Json& object : document) CL_CHECK(add(object));
  return out;
}

}  // namespace cloister::measure::elf
