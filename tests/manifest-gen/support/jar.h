// Java archives of one file.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cloister::test {

// A stored archive (ZIP) with only META-INF/MANIFEST.MF in it.
inline std::string jar(std::string_view manifest) {
  static constexpr std::string_view kName = "META-INF/MANIFEST.MF";
  ByteWriter out, central;
  const auto size = static_cast<std::uint32_t>(manifest.size());
  out.u32(0x04034b50);
  out.zeros(14);
  out.u32(size);
  out.u32(size);
  out.u16(static_cast<std::uint16_t>(kName.size()));
  out.u16(0);
  out.text(kName);
  out.text(manifest);
  const std::size_t at = out.size();
  out.u32(0x02014b50);
  out.zeros(16);
  out.u32(size);
  out.u32(size);
  out.u16(static_cast<std::uint16_t>(kName.size()));
  out.zeros(16);
  out.text(kName);
  const std::size_t end = out.size();
  out.u32(0x06054b50);
  out.zeros(4);
  out.u16(1);
  out.u16(1);
  out.u32(static_cast<std::uint32_t>(end - at));
  out.u32(static_cast<std::uint32_t>(at));
  out.u16(0);
  return std::string(as_text(out.view()));
}

}  // namespace cloister::test
