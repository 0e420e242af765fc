// Symbol versions, LSB Core "Symbol Versioning": two linked lists in the file, entries of 16 or 20
// bytes and auxiliary entries, each link a distance in bytes from the entry that holds it.
//
// Traps: distances are unsigned, so lists only go forward, but they may overlap and share entries,
// so that n bytes can encode n² names: the number of entries is bounded over the whole table. The
// counts (vn_cnt, DT_VERNEEDNUM) are redundant with the zero link that ends a list, which is what
// glibc follows.
#include "base/text.h"
#include "measure/elf/dynamic.h"

namespace cloister::measure::elf {
namespace {

constexpr std::size_t kNeedSize = 16, kAuxSize = 16, kDefinitionSize = 20;
constexpr std::uint16_t kWeak = 2, kBase = 1;  // VER_FLG_WEAK, VER_FLG_BASE

// Follows one list; counts entries against the table's bound.
class Cursor {
 public:
  Cursor(const Memory& memory, std::uint64_t address) : memory_(memory), address_(address) {}
  std::uint64_t address() const { return address_; }
  Result<ByteView> entry(std::uint64_t size) const {
    const auto bytes = memory_.at(address_, size);
    if (!bytes) return Error::corrupt("ELF version table lies outside the file");
    return *bytes;
  }
  // False at the end of the list.
  Result<bool> advance(std::uint32_t distance) {
    if (distance == 0) return false;
    if (!checked_add<std::uint64_t>(address_, distance, address_))
      return Error::corrupt("ELF version table lies outside the file");
    return true;
  }

 private:
  const Memory& memory_;
  std::uint64_t address_;
};

Status count(std::size_t& entries, const Limits& limits) {
  if (++entries > limits.elf_versions)
    return Error::limit(cat("ELF file with more than ", limits.elf_versions, " symbol versions"));
  return {};
}

Result<std::vector<VersionNeed::Version>> read_need_versions(const Memory& memory,
                                                             std::uint64_t address,
                                                             Strings& strings, std::size_t& entries,
                                                             const Limits& limits) {
  std::vector<VersionNeed::Version> out;
  Cursor at(memory, address);
  for (bool more = true; more;) {
    CL_CHECK(count(entries, limits));
    CL_TRY(const ByteView bytes, at.entry(kAuxSize));
    ByteReader in(bytes);
    in.skip(4);  // vna_hash
    const std::uint16_t flags = in.u16();
    in.skip(2);  // vna_other
    const std::uint32_t name = in.u32(), next = in.u32();
    CL_TRY(std::string text, strings.at(name));
    out.push_back({std::move(text), (flags & kWeak) != 0});
    CL_TRY(more, at.advance(next));
  }
  return out;
}

}  // namespace

Result<std::vector<VersionNeed>> read_version_needs(const Memory& memory, std::uint64_t address,
                                                    Strings& strings, const Limits& limits) {
  std::vector<VersionNeed> out;
  std::size_t entries = 0;
  Cursor at(memory, address);
  for (bool more = true; more;) {
    CL_CHECK(count(entries, limits));
    CL_TRY(const ByteView bytes, at.entry(kNeedSize));
    ByteReader in(bytes);
    const std::uint16_t version = in.u16(), aux_count = in.u16();
    const std::uint32_t file = in.u32(), aux = in.u32(), next = in.u32();
    if (version != 1) return Error::corrupt(cat("ELF version needs of version ", version));
    VersionNeed need;
    CL_TRY(need.file, strings.at(file));
    if (aux_count > 0) {
      CL_TRY(need.versions,
             read_need_versions(memory, at.address() + aux, strings, entries, limits));
    }
    out.push_back(std::move(need));
    CL_TRY(more, at.advance(next));
  }
  return out;
}

Result<std::vector<std::string>> read_version_definitions(const Memory& memory,
                                                          std::uint64_t address, Strings& strings,
                                                          const Limits& limits) {
  std::vector<std::string> out;
  std::size_t entries = 0;
  Cursor at(memory, address);
  for (bool more = true; more;) {
    CL_CHECK(count(entries, limits));
    CL_TRY(const ByteView bytes, at.entry(kDefinitionSize));
    ByteReader in(bytes);
    const std::uint16_t version = in.u16(), flags = in.u16();
    in.skip(2);  // vd_ndx
    const std::uint16_t aux_count = in.u16();
    in.skip(4);  // vd_hash
    const std::uint32_t aux = in.u32(), next = in.u32();
    if (version != 1) return Error::corrupt(cat("ELF version definitions of version ", version));
    if (aux_count > 0 && (flags & kBase) == 0) {
      // The first auxiliary entry is the name; later ones are the versions it inherits.
      const auto name = memory.at(at.address() + aux, 8);
      if (!name) return Error::corrupt("ELF version table lies outside the file");
      CL_TRY(std::string text, strings.at(ByteReader(*name).u32()));
      out.push_back(std::move(text));
    }
    CL_TRY(more, at.advance(next));
  }
  return out;
}

}  // namespace cloister::measure::elf
