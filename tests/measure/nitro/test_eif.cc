#include "tests/measure/nitro/test_eif.h"

#include <zlib.h>

#include <algorithm>

#include "base/file.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::measure::nitro {

Bytes TestEif::bytes() const {
  EifHeader full = header;
  ByteWriter body;
  for (const TestSection& section : sections) {
    full.sections.push_back({kEifHeaderSize + body.size(), section.content.size()});
    body.bytes(encode_eif_section_header({section.type, section.content.size()}));
    body.text(section.content);
  }
  Bytes out = encode_eif_header(full);
  out.insert(out.end(), body.view().begin(), body.view().end());
  return with_crc(std::move(out));
}

Bytes with_crc(Bytes eif) {
  constexpr std::size_t kCovered = kEifHeaderSize - 4;
  uLong crc = crc32(0, raw(eif.data()), kCovered);
  crc = crc32_z(crc, raw(eif.data()) + kEifHeaderSize, eif.size() - kEifHeaderSize);
  for (std::size_t i = 0; i < 4; ++i)
    eif[kCovered + i] = static_cast<std::byte>(crc >> (24 - 8 * i) & 0xff);
  return eif;
}

Bytes eif_vector(std::string_view name) {
  return must(read_file(source_dir() / "testdata/nitro-eif" / name, 1 << 20));
}

}  // namespace cloister::measure::nitro
