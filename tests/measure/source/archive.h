// Zip archives as small as they can be (APPNOTE.TXT 4.3.6), for tests of what reads them.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cloister::test {

struct ArchivedFile {
  std::string name, text;
  bool deflated = true;
};

inline std::string deflated(std::string text) {
  std::string out(text.size() + 64, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline Bytes archive(const std::vector<ArchivedFile>& files, std::string_view comment = "",
                     std::string_view in_front = "") {
  ByteWriter out, central;
  out.text(in_front);
  for (const ArchivedFile& file : files) {
    const std::string data = file.deflated ? deflated(file.text) : file.text;
    const auto packed = static_cast<std::uint32_t>(data.size());
    const auto size = static_cast<std::uint32_t>(file.text.size());
    const auto name = static_cast<std::uint16_t>(file.name.size());
    const auto offset = static_cast<std::uint32_t>(out.size() - in_front.size());
    const std::uint16_t method = file.deflated ? 8 : 0;
    out.u32(0x04034b50);
    out.zeros(4);
    out.u16(method);
    out.zeros(8);
    out.u32(packed);
    out.u32(size);
    out.u16(name);
    out.u16(0);
    out.text(file.name);
    out.text(data);
    central.u32(0x02014b50);
    central.zeros(6);
    central.u16(method);
    central.zeros(8);
    central.u32(packed);
    central.u32(size);
    central.u16(name);
    central.zeros(12);
    central.u32(offset);
    central.text(file.name);
  }
  const auto at = static_cast<std::uint32_t>(out.size() - in_front.size());
  out.bytes(central.view());
  out.u32(0x06054b50);
  out.zeros(4);
  out.u16(static_cast<std::uint16_t>(files.size()));
  out.u16(static_cast<std::uint16_t>(files.size()));
  out.u32(static_cast<std::uint32_t>(central.size()));
  out.u32(at);
  out.u16(static_cast<std::uint16_t>(comment.size()));
  out.text(comment);
  return out.take();
}

}  // namespace cloister::test
