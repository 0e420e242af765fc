// ELF gABI, "ELF Header" and "Program Header". Section headers are not read: the loader does not
// use them and stripped files lack them. The one exception, PN_XNUM (more than 65534 program
// headers, counted in section 0), is above our limit anyway and refused.
//
// Trap: p_offset + p_filesz and p_vaddr + p_memsz come from outside and may wrap.
#include "measure/elf/header.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::measure::elf {
namespace {

constexpr std::size_t kIdentSize = 16, kHeaderSize = 64;
constexpr std::uint16_t kProgramHeaderSize = 56;

ProgramHeader read_program_header(ByteReader& in) {
  ProgramHeader p;
  p.type = in.u32();
  p.flags = in.u32();
  p.offset = in.u64();
  p.vaddr = in.u64();
  in.skip(8);  // p_paddr
  p.file_size = in.u64();
  p.memory_size = in.u64();
  p.alignment = in.u64();
  return p;
}

}  // namespace

Result<Identity> read_identity(ByteView file) {
  ByteReader in(file);
  const std::uint32_t magic = in.u32();
  const std::uint8_t elf_class = in.u8(), data = in.u8();
  in.skip(1);  // EI_VERSION
  Identity id;
  id.os_abi = in.u8();
  in.seek(kIdentSize + 2);  // past e_type
  const ByteView machine = in.bytes(2);
  CL_CHECK(in.finish("ELF header"));
  if (magic != 0x464c457f || elf_class < 1 || elf_class > 2 || data < 1 || data > 2)
    return Error::corrupt("not an ELF file");
  id.is_64 = elf_class == 2;
  id.little_endian = data == 1;
  const auto low = static_cast<unsigned>(machine[id.little_endian ? 0 : 1]);
  const auto high = static_cast<unsigned>(machine[id.little_endian ? 1 : 0]);
  id.machine = static_cast<std::uint16_t>(high << 8 | low);
  return id;
}

Result<Headers> read_headers(ByteView file, const Limits& limits) {
  ByteReader in(file);
  Headers out;
  in.seek(kIdentSize);
  out.type = in.u16();
  in.skip(2 + 4);  // e_machine, e_version
  out.entry = in.u64();
  const std::uint64_t table = in.u64();
  in.skip(8 + 4 + 2);  // e_shoff, e_flags, e_ehsize
  const std::uint16_t entry_size = in.u16(), count = in.u16();
  in.seek(kHeaderSize);
  CL_CHECK(in.finish("ELF header"));
  if (count == 0) return out;
  if (entry_size != kProgramHeaderSize)
    return Error::corrupt(cat("ELF program headers of ", entry_size, " bytes, want 56"));
  if (count > limits.elf_segments)
    return Error::limit(cat("ELF file with ", count, " program headers, at most ",
                            limits.elf_segments, " are read"));
  const auto bytes = slice(file, table, std::uint64_t{count} * entry_size);
  if (!bytes) return Error::corrupt("ELF program headers lie outside the file");
  ByteReader headers(*bytes);
  out.program_headers.reserve(count);
  for (unsigned i = 0; i < count; ++i) out.program_headers.push_back(read_program_header(headers));
  return out;
}

Memory::Memory(ByteView file, const std::vector<ProgramHeader>& headers) : file_(file) {
  for (const ProgramHeader& p : headers)
    if (p.type == kLoad && slice(file, p.offset, p.file_size)) loads_.push_back(p);
}

std::optional<ByteView> Memory::at(std::uint64_t address) const {
  for (const ProgramHeader& p : loads_) {
    if (address < p.vaddr || address - p.vaddr >= p.file_size) continue;
    const std::uint64_t inside = address - p.vaddr;
    return slice(file_, p.offset + inside, p.file_size - inside);
  }
  return std::nullopt;
}

std::optional<ByteView> Memory::at(std::uint64_t address, std::uint64_t size) const {
  const auto bytes = at(address);
  if (!bytes || bytes->size() < size) return std::nullopt;
  return bytes->first(size);
}

}  // namespace cloister::measure::elf
