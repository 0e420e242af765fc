// The central directory is found from the end, as the JVM and Python do, so that a script in front
// of the archive (executable jars, zipapps) does not matter.
#include "measure/source/zip.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50,
                        kLocator64Signature = 0x07064b50, kCentralSignature = 0x02014b50,
                        kLocalSignature = 0x04034b50;
constexpr std::uint64_t kEndBytes = 22, kLocator64Bytes = 20, kMaxComment = 0xffff;
constexpr std::uint16_t kStored = 0, kDeflated = 8;

struct Directory {
  std::uint64_t offset = 0, size = 0;
  std::uint64_t shift = 0;  // bytes in front of the archive
};

// The last end record whose comment ends with the file.
std::optional<std::uint64_t> end_record(ByteView bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const std::uint64_t last = bytes.size() - kEndBytes;
  const std::uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (bytes[at] != std::byte{'P'}) continue;
    ByteReader reader(bytes);
    reader.seek(at);
    if (reader.u32() != kEndSignature) continue;
    reader.skip(kEndBytes - 4 - 2);
    if (reader.u16() == bytes.size() - at - kEndBytes) return at;
  }
  return std::nullopt;
}

std::optional<Directory> central_directory(ByteView bytes) {
  const auto end = end_record(bytes);
  if (!end) return std::nullopt;
  ByteReader reader(bytes);
  reader.seek(*end + 12);
  Directory out;
  out.size = reader.u32();
  out.offset = reader.u32();
  std::uint64_t directory_end = *end;
  if (out.offset == 0xffffffff && *end >= kLocator64Bytes) {
    reader.seek(*end - kLocator64Bytes);
    if (reader.u32() != kLocator64Signature) return std::nullopt;
    reader.skip(4);
    const std::uint64_t end64 = reader.u64();
    reader.seek(end64);
    if (reader.u32() != kEnd64Signature) return std::nullopt;
    reader.skip(36);
    out.size = reader.u64();
    out.offset = reader.u64();
    directory_end = end64;
  }
  if (!reader.ok() || out.size > directory_end) return std::nullopt;
  // Offsets count from where the archive begins.
  const std::uint64_t at = directory_end - out.size;
  if (out.offset > at) return std::nullopt;
  out.shift = at - out.offset;
  out.offset = at;
  return out;
}

std::string inflate_raw(ByteView data, std::uint64_t size, std::uint64_t max) {
  std::string out(std::min(size, max), '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = const_cast<Bytef*>(  // NOLINT: zlib's interface; it does not write there
      raw(data.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::uint64_t>(data.size(), max));
  stream.next_out = raw(as_writable_bytes(std::span(out)).data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  const std::size_t written = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (code != Z_STREAM_END && code != Z_BUF_ERROR && code != Z_OK) return {};
  out.resize(written);
  return out;
}

}  // namespace

void for_each_zip_member(ByteView bytes, const std::function<void(const ZipMember&)>& visit) {
  const auto directory = central_directory(bytes);
  if (!directory) return;
  ByteReader reader(*slice(bytes, directory->offset, directory->size));
  while (reader.ok() && reader.remaining() >= 46) {
    if (reader.u32() != kCentralSignature) break;
    reader.skip(6);
    ZipMember member;
    member.method = reader.u16();
    reader.skip(8);
    member.packed = reader.u32();
    member.size = reader.u32();
    const std::uint16_t name_size = reader.u16(), extra = reader.u16(), comment = reader.u16();
    reader.skip(8);
    member.local = directory->shift + reader.u32();
    member.name = as_text(reader.bytes(name_size));
    reader.skip(std::uint64_t{extra} + comment);
    if (!reader.ok()) break;
    visit(member);
  }
}

std::string zip_content(ByteView bytes, const ZipMember& member, std::uint64_t max) {
  ByteReader reader(bytes);
  reader.seek(member.local);
  if (reader.u32() != kLocalSignature) return {};
  reader.skip(22);
  const std::uint16_t name = reader.u16(), extra = reader.u16();
  reader.skip(std::uint64_t{name} + extra);
  const ByteView data = reader.bytes(member.packed);
  if (!reader.ok()) return {};
  if (member.method == kStored) return std::string(as_text(data).substr(0, max));
  return member.method == kDeflated ? inflate_raw(data, member.size, max) : std::string();
}

}  // namespace cloister::measure::source
