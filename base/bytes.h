// The only way to touch bytes from outside: checked arithmetic and a sticky, bounds-checked reader.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister {

using ByteView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string_view as_text(ByteView bytes);
// The same bytes for a C library, whose byte is an unsigned char.
inline unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);  // NOLINT: may alias anything
}
inline const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);  // NOLINT: may alias anything
}
inline Bytes to_bytes(std::string_view text) {
  auto v = as_bytes(text);
  return {v.begin(), v.end()};
}

// Bytes in a buffer that several share, and that lives as long as one of them does. Immutable.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(Bytes bytes)  // NOLINT: a buffer of its own is no surprise
  {
    auto buffer = std::make_shared<const Bytes>(std::move(bytes));
    view_ = *buffer;
    owner_ = std::move(buffer);
  }
  // `view` lives as long as `owner`.
  SharedBytes(std::shared_ptr<const void> owner, ByteView view)
      : owner_(std::move(owner)), view_(view) {}

  ByteView view() const { return view_; }
  // `part` lies within view().
  SharedBytes of(ByteView part) const {
    SharedBytes out = *this;
    out.view_ = part;
    return out;
  }
  Bytes copy() const { return {view_.begin(), view_.end()}; }
  bool operator==(const SharedBytes& other) const { return std::ranges::equal(view_, other.view_); }

 private:
  std::shared_ptr<const void> owner_;
  ByteView view_;
};

template <class T>
[[nodiscard]] bool checked_add(T a, T b, T& out) {
  return !__builtin_add_overflow(a, b, &out);
}
template <class T>
[[nodiscard]] bool checked_mul(T a, T b, T& out) {
  return !__builtin_mul_overflow(a, b, &out);
}

// bytes[offset, offset + size), or nothing when that range is not wholly inside.
std::optional<ByteView> slice(ByteView bytes, std::uint64_t offset, std::uint64_t size);

// Reads little-endian fields in order. After the first read past the end every read answers zero
// or empty and ok() stays false, so that a parser checks once, at finish(), and not per field.
// Offsets and sizes are bytes from the start of the view. Not thread-safe.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }
  ByteView bytes(std::uint64_t size);
  void skip(std::uint64_t size) { (void)bytes(size); }
  void seek(std::uint64_t offset);
  void fail();  // a parser's own check failed here

  bool ok() const { return ok_; }
  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }
  // ok, or a `corrupt` error: "`what` is truncated or malformed at byte N".
  Status finish(std::string_view what) const;

 private:
  std::uint64_t integer(unsigned size);
  ByteView bytes_;
  std::uint64_t offset_ = 0;
  std::uint64_t failed_at_ = 0;
  bool ok_ = true;
};

// Appends little-endian fields: the writing twin of ByteReader.
class ByteWriter {
 public:
  void u8(std::uint8_t v) { integer(v, 1); }
  void u16(std::uint16_t v) { integer(v, 2); }
  void u32(std::uint32_t v) { integer(v, 4); }
  void u64(std::uint64_t v) { integer(v, 8); }
  void bytes(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); }
  void text(std::string_view v) { bytes(as_bytes(v)); }
  void zeros(std::size_t n) { out_.resize(out_.size() + n); }
  std::size_t size() const { return out_.size(); }
  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  void integer(std::uint64_t v, unsigned size);
  Bytes out_;
};

}  // namespace cloister
