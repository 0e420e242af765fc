// An untrusted loader of nothing but what relocation reads, for tests.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cloister::manifest::test {

inline constexpr std::uint64_t kInterp = 0x318, kDynamic = 0x400, kStrtab = 0x500, kBase = 0x10000;

// An ELF file of nothing but what relocation reads. One PT_LOAD maps the file at kBase.
struct Loader {
  std::uint16_t machine = 62, header_size = 56;
  std::uint64_t interp_offset = kInterp, interp_size = 28, dynamic_size = 0;
  bool interp = true, dynamic = true, load = true;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries = {
      {1, 0}, {5, kBase + kStrtab}, {0, 0}, {0, 0}};

  Bytes build() const {
    ByteWriter out;
    out.text(
        "\x7f"
        "ELF\x02\x01\x01");
    out.zeros(9);
    out.u16(3);
    out.u16(machine);
    out.u32(1);
    out.u64(0);   // e_entry
    out.u64(64);  // e_phoff
    out.u64(0);
    out.u32(0);
    out.u16(64);
    out.u16(header_size);
    out.u16(static_cast<std::uint16_t>(interp + dynamic + load));
    out.zeros(6);
    const auto header = [&](std::uint32_t type, std::uint64_t offset, std::uint64_t size) {
      out.u32(type);
      out.u32(4);
      out.u64(offset);
      out.u64(kBase + offset);
      out.u64(kBase + offset);
      out.u64(size);
      out.u64(size);
      out.u64(1);
    };
    if (interp) header(3, interp_offset, interp_size);
    if (load) header(1, 0, 0x600);
    if (dynamic) header(2, kDynamic, dynamic_size == 0 ? entries.size() * 16 : dynamic_size);
    out.zeros(kInterp - out.size());
    out.text(std::string_view("/lib64/ld-linux-x86-64.so.2\0", 28));
    out.zeros(kDynamic - out.size());
    for (const auto& [tag, value] : entries) {
      out.u64(tag);
      out.u64(value);
    }
    out.zeros(0x600 - out.size());
    return out.take();
  }
};

}  // namespace cloister::manifest::test
