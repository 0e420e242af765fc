#include "manifest-gen/guest/cpio.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kNewcMagic = "070701", kTrailer = "TRAILER!!!";
constexpr std::size_t kNumbers = 13, kNumberSize = 8;
constexpr std::size_t kHeaderSize = 6 + kNumbers * kNumberSize;
constexpr std::size_t kAlignment = 4;

std::string header_of(const CpioEntry& entry, std::uint32_t inode) {
  const std::uint32_t numbers[kNumbers] = {inode,
                                           entry.mode,
                                           entry.uid,
                                           entry.gid,
                                           /*nlink=*/1,
                                           entry.mtime,
                                           entry.size,
                                           /*devmajor=*/0,
                                           /*devminor=*/0,
                                           entry.device_major,
                                           entry.device_minor,
                                           static_cast<std::uint32_t>(entry.path.size() + 1),
                                           /*check=*/0};
  std::string out(kNewcMagic);
  for (const std::uint32_t number : numbers) {
    char text[kNumberSize + 1];
    std::snprintf(text, sizeof text, "%08X", number);
    out += text;
  }
  return out;
}

bool is_inside(std::string_view path) {
  if (path == ".") return true;
  if (path.empty()) return false;
  const auto parts = split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

}  // namespace

Status CpioWriter::pad() {
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  const std::size_t size = (kAlignment - written_ % kAlignment) % kAlignment;
  written_ += size;
  return size == 0 ? Status() : out_(ByteView(kZeros).first(size));
}

Status CpioWriter::begin(const CpioEntry& entry) {
  if (entry.path.size() > kMaxCpioName)
    return Error::unsupported(cat("the name of ", quote(entry.path.substr(0, 64)), "… is longer ",
                                  "than an initramfs can hold"));
  CL_CHECK(pad());
  std::string head = header_of(entry, next_inode_++);
  head += entry.path;
  head += '\0';
  written_ += head.size();
  CL_CHECK(out_(as_bytes(head)));
  return pad();
}

Status CpioWriter::content(ByteView piece) {
  written_ += piece.size();
  return out_(piece);
}

Status CpioWriter::finish() {
  CpioEntry trailer;
  trailer.path = kTrailer;
  next_inode_ = 0;
  return begin(trailer);
}

Status CpioReader::read(std::span<std::byte> out) {
  CL_TRY(const std::size_t got, read_full(in_, out));
  position_ += got;
  if (got != out.size()) return Error::corrupt("an initramfs ends before its trailer");
  return {};
}

Status CpioReader::skip(std::uint64_t size) {
  buffer_.resize(kStreamBuffer);
  while (size > 0) {
    const std::size_t piece = std::min<std::uint64_t>(size, buffer_.size());
    CL_CHECK(read(std::span(buffer_).first(piece)));
    size -= piece;
  }
  return {};
}

Status CpioReader::pad() {
  return skip((kAlignment - position_ % kAlignment) % kAlignment);
}

Result<std::uint32_t> CpioReader::number() {
  const std::string_view text = header_.substr(0, kNumberSize);
  header_.remove_prefix(kNumberSize);
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc() || end != text.data() + text.size())
    return Error::corrupt("an initramfs has a header without numbers");
  return out;
}

Status CpioReader::want_end() {
  buffer_.resize(kStreamBuffer);
  for (;;) {
    CL_TRY(const std::size_t got, in_.read(buffer_));
    if (got == 0) return {};
    if (std::any_of(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(got),
                    [](std::byte b) { return b != std::byte{0}; }))
      return Error::corrupt("an initramfs goes on after its trailer");
  }
}

Result<bool> CpioReader::next(CpioEntry& out) {
  CL_CHECK(skip(left_));
  left_ = 0;
  CL_CHECK(pad());
  std::array<std::byte, kHeaderSize> head;
  CL_CHECK(read(head));
  header_ = as_text(head);
  if (!header_.starts_with(kNewcMagic))
    return Error::corrupt("an initramfs has an entry without a newc header");
  header_.remove_prefix(kNewcMagic.size());
  std::array<std::uint32_t, kNumbers> numbers{};
  for (std::uint32_t& value : numbers) {
    CL_TRY(value, number());
  }
  const std::uint32_t name_size = numbers[11];
  if (name_size == 0 || name_size > kMaxCpioName + 1)
    return Error::corrupt("an initramfs has a name of no size, or a size that no name has");
  Bytes name(name_size);
  CL_CHECK(read(name));
  CL_CHECK(pad());
  if (name.back() != std::byte{0}) return Error::corrupt("a name in an initramfs does not end");
  out = {std::string(as_text(name).substr(0, name_size - 1)),
         numbers[1],
         numbers[2],
         numbers[3],
         numbers[5],
         numbers[6],
         numbers[9],
         numbers[10]};
  if (out.path == kTrailer) {
    CL_CHECK(want_end());
    return false;
  }
  if (!is_inside(out.path) || out.path.find('\0') != std::string::npos)
    return Error::corrupt(cat("the name ", quote(out.path), " in an initramfs leads elsewhere"));
  if (++entries_ > limits_.layer_entries)
    return Error::limit(cat("an initramfs has more than ", limits_.layer_entries, " entries"));
  constexpr std::uint32_t kType = 0170000, kDirectory = 0040000;
  if (numbers[4] > 1 && (out.mode & kType) != kDirectory)
    return Error::unsupported(cat(quote(out.path), " in an initramfs is a hard link"));
  left_ = out.size;
  return true;
}

Result<ByteView> CpioReader::content() {
  if (left_ == 0) return ByteView();
  buffer_.resize(kStreamBuffer);
  const std::size_t size = std::min<std::uint64_t>(left_, buffer_.size());
  const std::span<std::byte> piece = std::span(buffer_).first(size);
  CL_CHECK(read(piece));
  left_ -= size;
  return ByteView(piece);
}

Result<Digest> CpioReader::digest() {
  Sha256 hasher;
  for (;;) {
    CL_TRY(const ByteView piece, content());
    if (piece.empty()) return hasher.finish();
    hasher.update(piece);
  }
}

Result<std::string> CpioReader::text() {
  std::string out;
  for (;;) {
    CL_TRY(const ByteView piece, content());
    if (piece.empty()) return out;
    out += as_text(piece);
  }
}

}  // namespace cloister::manifest
