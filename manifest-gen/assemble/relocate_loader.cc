// Gramine's untrusted loader is an ordinary PIE: it names an ld.so and libraries that the image may
// lack (scratch), or have in another version or of another libc (Alpine). They come along in
// /gramine, so the loader must look there, and the environment cannot say so: LD_LIBRARY_PATH would
// also hold for every other program of the image. It is not measured: changing it changes no
// MRENCLAVE.
//
// Nothing can be moved in a linked file, but there is room for exactly this (gABI, "Program
// Header", "Dynamic Section"): the 28 bytes of "/lib64/ld-linux-x86-64.so.2" hold both strings, the
// new interpreter's and the library directory's, and GNU ld leaves spare DT_NULL entries at the end
// of .dynamic, one of which becomes DT_RUNPATH. Its value is an offset from DT_STRTAB and .interp
// lies before .dynstr, so it is negative: ld.so adds them modulo 2^64.
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "manifest-gen/assemble/assemble.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kProgramHeaderSize = 56, kDynamicSize = 16;
constexpr std::uint32_t kPtLoad = 1, kPtDynamic = 2, kPtInterp = 3;
constexpr std::uint64_t kDtNull = 0, kDtStrtab = 5, kDtRpath = 15, kDtRunpath = 29;
constexpr std::uint64_t kInterpreterBytes = 28;
static_assert(kInterpreterPath.size() + 1 + kLoaderLibraryDir.size() + 1 == kInterpreterBytes);

struct ProgramHeader {
  std::uint32_t type = 0;
  std::uint64_t offset = 0, vaddr = 0, file_size = 0;
};

struct DynamicEntry {
  std::uint64_t position = 0;  // in the file
  std::uint64_t tag = 0, value = 0;
};

Error no_room(const std::string& what) {
  return Error::unsupported(cat("the runtime's loader cannot be relocated: ", what))
      .hint("use the sgx/loader of a release of Gramine, as its packages and images carry it");
}

Result<std::vector<ProgramHeader>> read_program_headers(ByteView file, const Limits& limits) {
  ByteReader header(file);
  const ByteView ident = header.bytes(16);
  header.skip(2);  // e_type
  const std::uint16_t machine = header.u16();
  header.skip(4 + 8);  // e_version, e_entry
  const std::uint64_t table = header.u64();
  header.skip(8 + 4 + 2);  // e_shoff, e_flags, e_ehsize
  const std::uint16_t entry_size = header.u16(), count = header.u16();
  CL_CHECK(header.finish("the ELF header of the runtime's loader"));
  const std::array<std::byte, 6> want = {std::byte{0x7f}, std::byte{'E'}, std::byte{'L'},
                                         std::byte{'F'},  std::byte{2},   std::byte{1}};
  if (!std::equal(want.begin(), want.end(), ident.begin()) ||
      machine != measure::elf::kMachineX86_64)
    return no_room("it is no 64-bit x86-64 ELF file");
  if (entry_size != kProgramHeaderSize)
    return Error::corrupt(cat("the runtime's loader has program headers of ", entry_size, " bytes"))
        .detail(cat("want ", kProgramHeaderSize));
  if (count > limits.elf_segments)
    return Error::limit(cat("the runtime's loader has ", count, " program headers"))
        .detail(cat("at most ", limits.elf_segments, " are read"));

  ByteReader reader(file);
  reader.seek(table);
  std::vector<ProgramHeader> out;
  out.reserve(count);
  for (unsigned i = 0; i < count && reader.ok(); ++i) {
    ProgramHeader& segment = out.emplace_back();
    segment.type = reader.u32();
    reader.skip(4);  // p_flags
    segment.offset = reader.u64();
    segment.vaddr = reader.u64();
    reader.skip(8);  // p_paddr
    segment.file_size = reader.u64();
    reader.skip(8 + 8);  // p_memsz, p_align
  }
  CL_CHECK(reader.finish("the program header table of the runtime's loader"));
  return out;
}

const ProgramHeader* find_header(const std::vector<ProgramHeader>& headers, std::uint32_t type) {
  for (const ProgramHeader& header : headers)
    if (header.type == type) return &header;
  return nullptr;
}

// Whether these bytes of the file are what stands in memory at their vaddr: the kernel reads
// .interp from the file, ld.so the other string from memory.
bool is_loaded(const std::vector<ProgramHeader>& headers, const ProgramHeader& part) {
  for (const ProgramHeader& load : headers) {
    if (load.type != kPtLoad || part.offset < load.offset) continue;
    const std::uint64_t delta = part.offset - load.offset;
    if (delta <= load.file_size && part.file_size <= load.file_size - delta &&
        load.vaddr + delta == part.vaddr)
      return true;
  }
  return false;
}

Result<std::vector<DynamicEntry>> read_dynamic(ByteView file, const ProgramHeader& dynamic,
                                               const Limits& limits) {
  const std::uint64_t count = dynamic.file_size / kDynamicSize;
  if (count > limits.elf_dynamic)
    return Error::limit(cat("the runtime's loader has ", count, " dynamic entries"))
        .detail(cat("at most ", limits.elf_dynamic, " are read"));
  ByteReader reader(file);
  reader.seek(dynamic.offset);
  std::vector<DynamicEntry> out;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    DynamicEntry& entry = out.emplace_back();
    entry.position = reader.offset();
    entry.tag = reader.u64();
    entry.value = reader.u64();
  }
  CL_CHECK(reader.finish("the dynamic section of the runtime's loader"));
  return out;
}

// The entries to become the search path: those that are one already, else the first DT_NULL, if
// another one follows to end the table.
Result<std::vector<std::uint64_t>> choose_entries(const std::vector<DynamicEntry>& dynamic) {
  std::vector<std::uint64_t> paths;
  std::size_t end = 0;
  for (; end < dynamic.size() && dynamic[end].tag != kDtNull; ++end)
    if (dynamic[end].tag == kDtRpath || dynamic[end].tag == kDtRunpath)
      paths.push_back(dynamic[end].position);
  if (!paths.empty()) return paths;
  if (end + 1 >= dynamic.size() || dynamic[end + 1].tag != kDtNull)
    return no_room("its dynamic section has no spare entry");
  paths.push_back(dynamic[end].position);
  return paths;
}

Result<std::uint64_t> string_table(const std::vector<DynamicEntry>& dynamic) {
  for (const DynamicEntry& entry : dynamic) {
    if (entry.tag == kDtNull) break;
    if (entry.tag == kDtStrtab) return entry.value;
  }
  return Error::corrupt("the runtime's loader has no DT_STRTAB");
}

// REQUIRES: the range is inside `file`.
void overwrite(Bytes& file, std::uint64_t position, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(position));
}

}  // namespace

Result<Bytes> relocate_loader(ByteView loader, const Limits& limits, LibrarySearch search) {
  CL_TRY(const auto headers, read_program_headers(loader, limits));
  const ProgramHeader* interpreter = find_header(headers, kPtInterp);
  const ProgramHeader* dynamic_header = find_header(headers, kPtDynamic);
  if (interpreter == nullptr || dynamic_header == nullptr)
    return no_room("it is not dynamically linked");
  if (interpreter->file_size != kInterpreterBytes)
    return no_room(cat("the name of its interpreter takes ", interpreter->file_size, " bytes, not ",
                       kInterpreterBytes));
  if (!slice(loader, interpreter->offset, interpreter->file_size) ||
      !is_loaded(headers, *interpreter))
    return Error::corrupt("PT_INTERP of the runtime's loader is outside of what is loaded");
  CL_TRY(const auto dynamic, read_dynamic(loader, *dynamic_header, limits));
  CL_TRY(const std::uint64_t strings, string_table(dynamic));
  CL_TRY(const auto entries, choose_entries(dynamic));

  ByteWriter names;
  names.text(kInterpreterPath);
  names.u8(0);
  names.text(kLoaderLibraryDir);
  names.u8(0);
  ByteWriter entry;
  entry.u64(search == LibrarySearch::rpath ? kDtRpath : kDtRunpath);
  entry.u64(interpreter->vaddr + kInterpreterPath.size() + 1 - strings);

  Bytes out(loader.begin(), loader.end());
  overwrite(out, interpreter->offset, names.view());
  for (const std::uint64_t position : entries) overwrite(out, position, entry.view());
  return out;
}

}  // namespace cloister::manifest
