// The central directory is found from the end, as the JVM does, so that a shell script in front of
// the archive (executable jars) does not matter.
#include "measure/source/jar.h"

#include <zlib.h>

#include <algorithm>

#include "base/text.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50,
                        kLocator64Signature = 0x07064b50, kCentralSignature = 0x02014b50,
                        kLocalSignature = 0x04034b50;
constexpr std::uint64_t kEndBytes = 22, kLocator64Bytes = 20, kMaxComment = 0xffff;
constexpr std::uint16_t kStored = 0, kDeflated = 8;
constexpr std::uint64_t kMaxManifest = 1ULL << 20;
constexpr std::size_t kMaxNatives = 64;
constexpr std::string_view kManifest = "META-INF/MANIFEST.MF";

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

std::string inflate_raw(ByteView data, std::uint64_t size) {
  std::string out(std::min(size, kMaxManifest), '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = const_cast<Bytef*>(  // NOLINT: zlib's interface; it does not write there
      raw(data.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::uint64_t>(data.size(), kMaxManifest));
  stream.next_out = raw(as_writable_bytes(std::span(out)).data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  const std::size_t written = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (code != Z_STREAM_END && code != Z_BUF_ERROR && code != Z_OK) return {};
  out.resize(written);
  return out;
}

std::string content(ByteView bytes, std::uint64_t local, std::uint16_t method, std::uint64_t packed,
                    std::uint64_t size) {
  ByteReader reader(bytes);
  reader.seek(local);
  if (reader.u32() != kLocalSignature) return {};
  reader.skip(22);
  const std::uint16_t name = reader.u16(), extra = reader.u16();
  reader.skip(std::uint64_t{name} + extra);
  const ByteView data = reader.bytes(packed);
  if (!reader.ok()) return {};
  if (method == kStored) return std::string(as_text(data).substr(0, kMaxManifest));
  return method == kDeflated ? inflate_raw(data, size) : std::string();
}

// "Name: value" lines of the main section; a line that begins with a blank continues the last.
void read_manifest(std::string_view text, NameList& names) {
  std::string header;
  const auto end_header = [&] {
    const std::size_t colon = header.find(": ");
    if (colon == std::string::npos) return;
    const std::string name = lower_ascii(header.substr(0, colon));
    const std::string_view value = trim(std::string_view(header).substr(colon + 2));
    if (name == "class-path") {
      for (const std::string_view entry : split(value, ' '))
        if (!entry.empty()) names.add("class-path:", entry);
    } else if (name == "main-class") {
      names.add("main-class:", value);
    } else if (name == "launcher-agent-class") {
      names.add("agent-class:", value);
    }
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with("\r\n"))
      text.remove_prefix(2);
    else if (!text.empty())
      text.remove_prefix(1);
    if (line.starts_with(' ')) {
      header += line.substr(1);
      continue;
    }
    end_header();
    header = line;
    if (line.empty()) return;
  }
  end_header();
}

bool is_native(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

}  // namespace

bool is_jar(std::string_view path, std::string_view /*shebang*/) {
  return path.ends_with(".jar") || path.ends_with(".war") || path.ends_with(".JAR");
}

Facts scan_jar(ByteView bytes, const Limits& limits) {
  NameList names(limits);
  const auto directory = central_directory(bytes);
  if (!directory) return names.take(Language::jar, /*dynamic=*/false);
  ByteReader reader(*slice(bytes, directory->offset, directory->size));
  std::size_t natives = 0;
  while (reader.ok() && reader.remaining() >= 46) {
    if (reader.u32() != kCentralSignature) break;
    reader.skip(6);
    const std::uint16_t method = reader.u16();
    reader.skip(8);
    const std::uint64_t packed = reader.u32(), size = reader.u32();
    const std::uint16_t name_size = reader.u16(), extra = reader.u16(), comment = reader.u16();
    reader.skip(8);
    const std::uint64_t local = reader.u32();
    const std::string_view name = as_text(reader.bytes(name_size));
    reader.skip(std::uint64_t{extra} + comment);
    if (!reader.ok()) break;
    if (name == kManifest)
      read_manifest(content(bytes, directory->shift + local, method, packed, size), names);
    else if (is_native(name) && ++natives <= kMaxNatives)
      names.add("native:", name);
  }
  return names.take(Language::jar, /*dynamic=*/false);
}

}  // namespace cloister::measure::source
