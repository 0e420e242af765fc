// Archives as lists, to be changed and written again.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/guest/cpio.h"

namespace cloister::test {

struct CpioItem {
  manifest::CpioEntry entry;
  std::string content;
};

inline CpioItem cpio_item(std::string path, std::uint32_t mode, std::string content = "") {
  CpioItem out;
  out.entry.path = std::move(path);
  out.entry.mode = mode;
  out.content = std::move(content);
  return out;
}

// Sizes are those of the contents.
inline Result<std::string> write_cpio(const std::vector<CpioItem>& items) {
  std::string out;
  manifest::CpioWriter writer([&](ByteView piece) -> Status {
    out += as_text(piece);
    return {};
  });
  for (const CpioItem& one : items) {
    manifest::CpioEntry entry = one.entry;
    entry.size = static_cast<std::uint32_t>(one.content.size());
    CL_CHECK(writer.begin(entry));
    CL_CHECK(writer.content(as_bytes(one.content)));
  }
  CL_CHECK(writer.finish());
  return out;
}

inline Result<std::vector<CpioItem>> read_cpio(std::string_view archive,
                                               const Limits& limits = {}) {
  MemorySource source(as_bytes(archive));
  manifest::CpioReader reader(source, limits);
  std::vector<CpioItem> out;
  for (;;) {
    CpioItem one;
    CL_TRY(const bool more, reader.next(one.entry));
    if (!more) return out;
    for (;;) {
      CL_TRY(const ByteView piece, reader.content());
      if (piece.empty()) break;
      one.content += as_text(piece);
    }
    out.push_back(std::move(one));
  }
}

}  // namespace cloister::test
