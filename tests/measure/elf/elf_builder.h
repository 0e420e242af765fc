// Small ELF files made in memory, every field within reach, so that a test can damage just one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cloister::measure::elf {

// One PT_LOAD over the whole file at address `base`; PT_INTERP, PT_NOTE and PT_DYNAMIC when asked
// for. The parts follow each other: headers, interpreter, strings, version tables, data, notes,
// dynamic section.
struct ElfBuilder {
  std::uint64_t base = 0x10000;
  std::string interpreter;
  std::string strings = std::string(1, '\0');
  Bytes version_needs, version_definitions;
  Bytes data, notes;                                             // any bytes; what a PT_NOTE holds
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dynamic;  // (tag, value) before DT_NULL
  bool terminated = true;

  // Where parts ended up in the last build(); offsets from the start of the file.
  std::uint64_t at_strings = 0, at_needs = 0, at_definitions = 0, at_data = 0, at_dynamic = 0;

  std::uint64_t string(std::string_view text) {
    const std::uint64_t offset = strings.size();
    strings += text;
    strings += '\0';
    return offset;
  }

  Bytes build() {
    const std::uint16_t headers =
        static_cast<std::uint16_t>(2 + (interpreter.empty() ? 0 : 1) + (notes.empty() ? 0 : 1));
    const std::uint64_t at_interp = 64 + 56 * headers;
    const std::uint64_t interp_size = interpreter.empty() ? 0 : interpreter.size() + 1;
    at_strings = at_interp + interp_size;
    at_needs = at_strings + strings.size();
    at_definitions = at_needs + version_needs.size();
    at_data = at_definitions + version_definitions.size();
    const std::uint64_t at_notes = at_data + data.size();
    at_dynamic = at_notes + notes.size();
    auto entries = dynamic;
    entries.insert(entries.begin(), {5, base + at_strings});  // DT_STRTAB
    if (!version_needs.empty()) entries.emplace_back(0x6ffffffe, base + at_needs);
    if (!version_definitions.empty()) entries.emplace_back(0x6ffffffc, base + at_definitions);
    if (terminated) entries.emplace_back(0, 0);
    const std::uint64_t dynamic_size = 16 * entries.size(), size = at_dynamic + dynamic_size;

    ByteWriter out;
    out.text(std::string_view("\177ELF\2\1\1", 7));
    out.zeros(9);
    out.u16(3);  // ET_DYN
    out.u16(62);
    out.u32(1);
    out.u64(base);  // e_entry
    out.u64(64);    // e_phoff
    out.u64(0);
    out.u32(0);
    out.u16(64);
    out.u16(56);
    out.u16(headers);
    out.zeros(6);
    header(out, 1, 0, size);
    if (!interpreter.empty()) header(out, 3, at_interp, interp_size);
    if (!notes.empty()) header(out, 4, at_notes, notes.size());
    header(out, 2, at_dynamic, dynamic_size);
    if (!interpreter.empty()) {
      out.text(interpreter);
      out.u8(0);
    }
    out.text(strings);
    out.bytes(version_needs);
    out.bytes(version_definitions);
    out.bytes(data);
    out.bytes(notes);
    for (const auto& [tag, value] : entries) {
      out.u64(tag);
      out.u64(value);
    }
    return out.take();
  }

 private:
  void header(ByteWriter& out, std::uint32_t type, std::uint64_t offset, std::uint64_t size) const {
    out.u32(type);
    out.u32(5);
    out.u64(offset);
    out.u64(base + offset);
    out.u64(base + offset);
    out.u64(size);
    out.u64(size);
    out.u64(1);
  }
};

// Overwrites `size` bytes at `offset`, little-endian.
inline void poke(Bytes& bytes, std::size_t offset, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i)
    bytes.at(offset + i) = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

// One entry of gnu.version_r with the versions given: (string offset, flags).
inline Bytes version_need(std::uint32_t file,
                          const std::vector<std::pair<std::uint32_t, std::uint16_t>>& versions,
                          std::uint32_t next = 0) {
  ByteWriter out;
  out.u16(1);
  out.u16(static_cast<std::uint16_t>(versions.size()));
  out.u32(file);
  out.u32(16);
  out.u32(next);
  for (std::size_t i = 0; i < versions.size(); ++i) {
    out.u32(0);
    out.u16(versions[i].second);
    out.u16(2);
    out.u32(versions[i].first);
    out.u32(i + 1 < versions.size() ? 16 : 0);
  }
  return out.take();
}

}  // namespace cloister::measure::elf
