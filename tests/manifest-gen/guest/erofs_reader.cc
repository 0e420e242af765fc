#include "tests/manifest-gen/guest/erofs_reader.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace cloister::test {
namespace {

constexpr std::uint64_t kBlock = 4096;

// With a table, where the writer goes bit by bit.
std::uint32_t castagnoli(ByteView bytes) {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit)
      table[i] = (table[i] >> 1) ^ (0x82F63B78 & (~(table[i] & 1) + 1));
  }
  std::uint32_t crc = ~0U;
  for (const std::byte b : bytes)
    crc = table[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff] ^ (crc >> 8);
  return crc;
}

std::uint8_t type_of_mode(std::uint16_t mode) {
  switch (mode & 0170000) {
    case 0100000:
      return 1;
    case 0040000:
      return 2;
    case 0120000:
      return 7;
    default:
      return 0;
  }
}

}  // namespace

void ErofsReader::read_superblock() {
  // RFC 3720, B.4 (there complemented).
  if (castagnoli(as_bytes("123456789")) != ~0xE3069283U)
    return problem("the reader's CRC is wrong");
  if (image_.size() < kBlock || image_.size() % kBlock != 0) return problem("not whole blocks");
  ByteReader in(image_.subspan(1024, 128));
  if (in.u32() != 0xE0F5E1E2) problem("no magic number");
  const std::uint32_t checksum = in.u32();
  if (in.u32() != 3) problem("other compatible features than checksum and mtime");
  if (in.u8() != 12) problem("other blocks than of 4096 bytes");
  if (in.u8() != 0) problem("extension slots");
  root_ = in.u16();
  inodes_ = in.u64();
  build_time_ = static_cast<std::int64_t>(in.u64());
  if (in.u32() != 0) problem("nanoseconds");
  blocks_ = in.u32();
  if (in.u32() != 0 || in.u32() != 0) problem("metadata begin elsewhere");
  uuid_ = hex(in.bytes(16));
  in.skip(16);
  if (in.u32() != 0) problem("features that a kernel could lack");
  for (const std::byte b : in.bytes(in.remaining()))
    if (b != std::byte{0}) problem("something in what is reserved");
  if (blocks_ * kBlock != image_.size()) problem("another size than the image has");

  Bytes first(image_.begin() + 1024, image_.begin() + kBlock);
  std::fill_n(first.begin() + 4, 4, std::byte{0});
  if (castagnoli(first) != checksum) problem("wrong checksum");
}

ErofsFile ErofsReader::read_inode(std::uint64_t number) {
  ErofsFile out;
  out.number = number;
  const std::uint64_t position = number * 32;
  if (position + 64 > image_.size()) {
    problem(cat("inode ", number, " lies outside"));
    return out;
  }
  ByteReader in(image_.subspan(position, 64));
  const std::uint16_t format = in.u16();
  const bool extended = (format & 1) != 0;
  const int layout = format >> 1;
  if (layout != 0 && layout != 2) problem(cat("inode ", number, ": layout ", layout));
  if (in.u16() != 0) problem(cat("inode ", number, ": extended attributes"));
  out.mode = in.u16();
  std::uint32_t block = 0;
  if (extended) {
    in.skip(2);
    out.size = in.u64();
    block = in.u32();
    in.skip(4);
    out.uid = in.u32();
    out.gid = in.u32();
    out.mtime = static_cast<std::int64_t>(in.u64());
    in.skip(4);
    out.links = in.u32();
  } else {
    out.links = in.u16();
    out.size = in.u32();
    in.skip(4);
    block = in.u32();
    in.skip(4);
    out.uid = in.u16();
    out.gid = in.u16();
    out.mtime = build_time_;
  }
  const std::uint64_t inode_bytes = extended ? 64 : 32;
  if (position % kBlock + inode_bytes > kBlock) problem(cat("inode ", number, " is cut in two"));

  const std::uint64_t tail = layout == 2 ? out.size % kBlock : 0;
  if (layout == 2 && tail == 0) problem(cat("inode ", number, ": nothing follows"));
  if (position % kBlock + inode_bytes + tail > kBlock)
    problem(cat("inode ", number, ": what follows it crosses a block"));
  const std::uint64_t whole = out.size - tail;
  out.block = block;
  if (whole == 0 && block != 0xffffffff) problem(cat("inode ", number, ": blocks of nothing"));
  const auto blocks =
      whole == 0 ? ByteView() : slice(image_, block * kBlock, whole).value_or(ByteView());
  const auto rest = slice(image_, position + inode_bytes, tail).value_or(ByteView());
  out.content = cat(as_text(blocks), as_text(rest));
  if (out.content.size() != out.size) problem(cat("inode ", number, ": content lies outside"));
  // What a file does not fill reads as zeros where it is mapped into memory.
  if (whole % kBlock != 0) {
    const auto padding = image_.subspan(block * kBlock + whole, kBlock - whole % kBlock);
    if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; }))
      problem(cat("inode ", number, ": something behind its end"));
  }
  return out;
}

std::vector<ErofsReader::Line> ErofsReader::read_lines(std::string_view list, std::size_t block) {
  const std::string_view text = list.substr(block * kBlock, kBlock);
  std::vector<Line> out;
  ByteReader in(as_bytes(text));
  std::vector<std::size_t> offsets;
  do {
    Line line;
    line.number = in.u64();
    offsets.push_back(in.u16());
    line.type = in.u8();
    if (in.u8() != 0) problem("something in what a line reserves");
    out.push_back(line);
  } while (in.ok() && in.offset() + 12 <= offsets[0]);
  if (offsets[0] % 12 != 0 || offsets[0] / 12 != out.size()) problem("lines end oddly");
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t end = i + 1 < out.size() ? offsets[i + 1] : text.size();
    if (offsets[i] >= end || end > text.size()) {
      problem("a name that lies outside");
      break;
    }
    out[i].name = text.substr(offsets[i], end - offsets[i]);
    if (i + 1 == out.size()) out[i].name = out[i].name.substr(0, out[i].name.find('\0'));
    if (out[i].name.empty() || out[i].name.size() > 255) problem("a name of no or too many bytes");
  }
  return out;
}

void ErofsReader::walk(const std::string& path, std::uint64_t number, std::uint64_t parent,
                       std::map<std::string, ErofsFile>& out) {
  ErofsFile file = read_inode(number);
  if (type_of_mode(file.mode) == 2) {
    const std::string list = std::exchange(file.content, "");
    std::string before;
    std::uint32_t directories = 0;
    bool first = true;
    std::map<std::string, std::uint64_t> own;
    for (std::size_t block = 0; block * kBlock < list.size(); ++block) {
      for (const Line& line : read_lines(list, block)) {
        if (!first && line.name <= before) problem(cat("not in order: ", quote(line.name)));
        first = false;
        before = line.name;
        own[line.name] = line.number;
        if (line.type == 2 && line.name != "..") directories += line.name == "." ? 2 : 1;
        if (line.name == "." || line.name == "..") continue;
        const std::string below = path.empty() ? line.name : cat(path, "/", line.name);
        walk(below, line.number, number, out);
        if (type_of_mode(out[below].mode) != line.type) problem(cat("another type: ", below));
      }
    }
    if (own["."] != number || own[".."] != parent) problem(cat("wrong . or .. in ", quote(path)));
    if (file.links != directories) problem(cat("wrong number of links: ", quote(path)));
  } else if (file.links != 1) {
    problem(cat("wrong number of links: ", quote(path)));
  }
  out[path] = std::move(file);
}

std::map<std::string, ErofsFile> ErofsReader::read_all() {
  std::map<std::string, ErofsFile> out;
  walk("", root_, root_, out);
  return out;
}

std::optional<std::uint64_t> ErofsReader::look_up(std::string_view path) {
  std::uint64_t number = root_;
  if (path.empty()) return number;
  for (const std::string_view name : split(path, '/')) {
    const std::string list = read_inode(number).content;
    // The last block whose first name is not beyond the one that is looked for.
    std::size_t low = 0;
    std::size_t high = (list.size() + kBlock - 1) / kBlock;
    while (high - low > 1) {
      const std::size_t middle = (low + high) / 2;
      (read_lines(list, middle).at(0).name <= name ? low : high) = middle;
    }
    const auto lines = read_lines(list, low);
    const auto found =
        std::lower_bound(lines.begin(), lines.end(), name,
                         [](const Line& a, std::string_view b) { return a.name < b; });
    if (found == lines.end() || found->name != name) return std::nullopt;
    number = found->number;
  }
  return number;
}

}  // namespace cloister::test
