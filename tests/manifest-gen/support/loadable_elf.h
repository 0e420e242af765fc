// ELF objects of a few hundred bytes that the real loaders load: no code, only what the dynamic
// section says about other objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cloister::test {

struct LoadableElf {
  std::string interpreter = {};  // empty: a library
  std::string soname = {}, rpath = {}, runpath = {}, audit = {}, depaudit = {};
  std::vector<std::string> needed = {}, filters = {}, auxiliaries = {};
  std::uint64_t flags_1 = 0;
  std::uint8_t elf_class = 2;
  std::uint16_t machine = 62, type = 3;

  Bytes build() const {
    std::string strings(1, '\0');
    std::vector<std::pair<std::uint64_t, std::uint64_t>> tags;
    const auto text = [&](std::uint64_t tag, std::string_view value, bool always = false) {
      if (value.empty() && !always) return;
      tags.emplace_back(tag, strings.size());
      strings += value;
      strings += '\0';
    };
    for (const std::string& name : needed) text(1, name, true);
    text(14, soname);
    text(15, rpath);
    text(29, runpath);
    for (const std::string& name : filters) text(0x7fffffff, name);
    for (const std::string& name : auxiliaries) text(0x7ffffffd, name);
    text(0x6ffffefc, audit);
    text(0x6ffffefb, depaudit);
    if (flags_1 != 0) tags.emplace_back(0x6ffffffb, flags_1);

    const std::uint64_t headers = interpreter.empty() ? 3 : 5;
    const std::uint64_t at_interpreter = 64 + 56 * headers;
    const std::uint64_t at_strings =
        at_interpreter + (interpreter.empty() ? 0 : interpreter.size() + 1);
    const std::uint64_t at_symbols = (at_strings + strings.size() + 15) / 16 * 16;
    const std::uint64_t at_hash = at_symbols + 24, at_dynamic = at_hash + 24;
    tags.emplace_back(4, at_hash);     // DT_HASH
    tags.emplace_back(5, at_strings);  // DT_STRTAB
    tags.emplace_back(6, at_symbols);  // DT_SYMTAB
    tags.emplace_back(10, strings.size());
    tags.emplace_back(11, 24);
    tags.emplace_back(0, 0);
    const std::uint64_t dynamic_size = 16 * tags.size(), size = at_dynamic + dynamic_size;

    ByteWriter out;
    out.text("\177ELF");
    out.u8(elf_class);
    out.text(std::string_view("\1\1", 2));
    out.zeros(9);
    out.u16(type);
    out.u16(machine);
    out.u32(1);
    out.u64(at_dynamic);  // e_entry: never jumped to
    out.u64(64);
    out.u64(0);
    out.u32(0);
    out.u16(64);
    out.u16(56);
    out.u16(static_cast<std::uint16_t>(headers));
    out.zeros(6);
    const auto header = [&](std::uint32_t kind, std::uint64_t at, std::uint64_t bytes,
                            std::uint64_t alignment) {
      out.u32(kind);
      out.u32(6);
      for (int i = 0; i < 3; ++i) out.u64(at);
      out.u64(bytes);
      out.u64(bytes);
      out.u64(alignment);
    };
    // Loaders find out from PT_PHDR where the kernel put a program.
    if (!interpreter.empty()) header(6, 64, 56 * headers, 8);
    if (!interpreter.empty()) header(3, at_interpreter, interpreter.size() + 1, 1);
    header(1, 0, size, 0x1000);
    header(2, at_dynamic, dynamic_size, 8);
    header(0x6474e551, 0, 0, 16);  // PT_GNU_STACK
    if (!interpreter.empty()) {
      out.text(interpreter);
      out.u8(0);
    }
    out.text(strings);
    out.zeros(at_symbols - out.size());
    out.zeros(24);
    for (const std::uint32_t word : {1U, 1U, 0U, 0U, 0U, 0U}) out.u32(word);
    for (const auto& [tag, value] : tags) {
      out.u64(tag);
      out.u64(value);
    }
    return out.take();
  }
};

}  // namespace cloister::test
