// What decides which other files a program needs: its interpreter, libraries, search paths and
// symbol versions, and evidence of what its code asks for by itself (evidence.h). Code is not
// touched, so that a library of 100 MB costs little more than a small one.
//
// Trap: PT_INTERP is read by the kernel at its file offset, everything else by ld.so at addresses.
#include "measure/elf/facts.h"

#include <algorithm>

#include "base/text.h"
#include "measure/elf/dynamic.h"
#include "measure/elf/evidence.h"
#include "measure/elf/header.h"

namespace cloister::measure::elf {
namespace {

const ProgramHeader* first_of(const Headers& headers, std::uint32_t type) {
  for (const ProgramHeader& p : headers.program_headers)
    if (p.type == type) return &p;
  return nullptr;
}

Result<std::string> read_interpreter(ByteView file, const ProgramHeader& p, const Limits& limits) {
  const auto bytes = slice(file, p.offset, p.file_size);
  if (!bytes) return Error::corrupt("ELF interpreter name lies outside the file");
  if (bytes->size() > limits.elf_string_bytes)
    return Error::limit(
        cat("ELF interpreter name longer than ", limits.elf_string_bytes, " bytes"));
  const auto end = std::find(bytes->begin(), bytes->end(), std::byte{0});
  if (end == bytes->end()) return Error::corrupt("ELF interpreter name has no end");
  return std::string(as_text(bytes->first(static_cast<std::size_t>(end - bytes->begin()))));
}

Status resolve(Facts& facts, const DynamicTable& table, const Memory& memory,
               const Limits& limits) {
  const bool names = !table.needed.empty() || !table.filters.empty() ||
                     !table.auxiliaries.empty() || table.rpath || table.runpath || table.soname ||
                     table.audit || table.depaudit || table.version_needs ||
                     table.version_definitions;
  if (!names) return {};
  if (!table.strings) return Error::corrupt("ELF dynamic section has names but no string table");
  Strings strings(memory, *table.strings, limits);
  const auto list = [&](std::vector<std::string>& to,
                        const std::vector<std::uint64_t>& offsets) -> Status {
    for (const std::uint64_t offset : offsets) {
      CL_TRY(std::string name, strings.at(offset));
      to.push_back(std::move(name));
    }
    return {};
  };
  CL_CHECK(list(facts.needed, table.needed));
  CL_CHECK(list(facts.filters, table.filters));
  CL_CHECK(list(facts.auxiliaries, table.auxiliaries));
  const auto set = [&](std::optional<std::string>& to, std::optional<std::uint64_t> at) -> Status {
    if (!at) return {};
    CL_TRY(to, strings.at(*at));
    return {};
  };
  CL_CHECK(set(facts.rpath, table.rpath));
  CL_CHECK(set(facts.runpath, table.runpath));
  CL_CHECK(set(facts.soname, table.soname));
  CL_CHECK(set(facts.audit, table.audit));
  CL_CHECK(set(facts.depaudit, table.depaudit));
  if (const auto at = table.version_needs) {
    CL_TRY(facts.version_needs, read_version_needs(memory, *at, strings, limits));
  }
  if (const auto at = table.version_definitions) {
    CL_TRY(facts.version_definitions, read_version_definitions(memory, *at, strings, limits));
  }
  return {};
}

}  // namespace

bool looks_like_elf(ByteView first_bytes) {
  return first_bytes.size() >= 4 && as_text(first_bytes.first(4)) == "\177ELF";
}

Result<Facts> read_facts(ByteView file, const Limits& limits, const ReleasePart& release) {
  CL_TRY(const Identity id, read_identity(file));
  Facts facts;
  facts.is_64 = id.is_64;
  facts.little_endian = id.little_endian;
  facts.machine = id.machine;
  if (!id.is_64 || !id.little_endian) return facts;
  facts.os_abi = id.os_abi;

  CL_TRY(const Headers headers, read_headers(file, limits));
  facts.type = headers.type;
  if (const ProgramHeader* interp = first_of(headers, kInterp)) {
    CL_TRY(facts.interpreter, read_interpreter(file, *interp, limits));
  }
  const Memory memory(file, headers.program_headers);
  const ProgramHeader* dynamic = first_of(headers, kDynamic);
  if (dynamic == nullptr) {
    read_evidence(file, headers, memory, nullptr, limits, release, facts);
    return facts;
  }
  facts.has_dynamic = true;
  CL_TRY(const DynamicTable table, read_dynamic(memory, *dynamic, limits));
  facts.flags = table.flags;
  facts.flags_1 = table.flags_1;
  CL_CHECK(resolve(facts, table, memory, limits));
  read_evidence(file, headers, memory, &table, limits, release, facts);
  return facts;
}

Result<LoadImage> read_load_segments(ByteView file, const Limits& limits) {
  CL_TRY(const Identity id, read_identity(file));
  if (!id.is_64 || !id.little_endian)
    return Error::unsupported("not a 64-bit little-endian ELF file");
  CL_TRY(const Headers headers, read_headers(file, limits));
  LoadImage image;
  image.entry = headers.entry;
  for (const ProgramHeader& p : headers.program_headers) {
    if (p.type != kLoad) continue;
    if (p.file_size > p.memory_size)
      return Error::corrupt("ELF segment has more bytes in the file than in memory")
          .detail(cat("got ", p.file_size, " in the file, ", p.memory_size, " in memory"));
    if (!slice(file, p.offset, p.file_size))
      return Error::corrupt("ELF segment lies outside the file")
          .detail(cat("got bytes ", p.offset, " + ", p.file_size, " of ", file.size()));
    image.segments.push_back({p.offset, p.vaddr, p.file_size, p.memory_size, p.flags});
  }
  if (image.segments.empty()) return Error::corrupt("ELF file has nothing to load (no PT_LOAD)");
  return image;
}

}  // namespace cloister::measure::elf
