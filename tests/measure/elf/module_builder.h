// Kernel modules of a few hundred bytes: no code, only what they say of themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cloister::measure::elf {

struct ModuleBuilder {
  std::vector<std::string> texts;  // of .modinfo, each with its NUL

  // Where parts ended up in the last build(); offsets from the start of the file.
  std::uint64_t at_info = 0, at_names = 0, at_sections = 0;

  static ModuleBuilder named(const std::string& name, const std::string& depends,
                             const std::string& version) {
    return {{"license=GPL", "depends=" + depends, "retpoline=Y", "intree=Y", "name=" + name,
             "vermagic=" + version + " SMP preempt mod_unload modversions "}};
  }

  // Sections: none, .text (empty), .modinfo, .shstrtab.
  Bytes build() {
    constexpr std::string_view kNames("\0.text\0.modinfo\0.shstrtab\0", 26);
    std::string info;
    for (const std::string& text : texts) info += text + '\0';
    at_info = 64;
    at_names = at_info + info.size();
    at_sections = (at_names + kNames.size() + 7) / 8 * 8;
    ByteWriter out;
    out.text(std::string_view("\177ELF\2\1\1", 7));
    out.zeros(9);
    out.u16(1);  // ET_REL
    out.u16(62);
    out.u32(1);
    out.zeros(16);  // e_entry, e_phoff
    out.u64(at_sections);
    out.u32(0);
    out.u16(64);
    out.zeros(4);  // no program headers
    out.u16(64);
    out.u16(4);
    out.u16(3);
    out.text(info);
    out.text(kNames);
    out.zeros(at_sections - out.size());
    out.zeros(64);
    section(out, 1, 1, at_info, 0);
    section(out, 7, 1, at_info, info.size());
    section(out, 16, 3, at_names, kNames.size());
    return out.take();
  }

 private:
  static void section(ByteWriter& out, std::uint32_t name, std::uint32_t type, std::uint64_t offset,
                      std::uint64_t size) {
    out.u32(name);
    out.u32(type);
    out.zeros(16);  // flags, address
    out.u64(offset);
    out.u64(size);
    out.zeros(8);  // link, info
    out.u64(1);
    out.u64(0);
  }
};

}  // namespace cloister::measure::elf
