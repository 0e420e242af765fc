#include "base/bytes.h"

#include "base/text.h"

namespace cloister {

std::string_view as_text(ByteView bytes) {
  // char may alias any object: the one cast from bytes to text in the tree.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

std::optional<ByteView> slice(ByteView bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

ByteView ByteReader::bytes(std::uint64_t size) {
  auto part = ok_ ? slice(bytes_, offset_, size) : std::nullopt;
  if (!part) {
    fail();
    return {};
  }
  offset_ += size;
  return *part;
}

void ByteReader::seek(std::uint64_t offset) {
  if (!ok_) return;
  if (offset > bytes_.size()) return fail();
  offset_ = offset;
}

void ByteReader::fail() {
  if (ok_) failed_at_ = offset_;
  ok_ = false;
}

std::uint64_t ByteReader::integer(unsigned size) {
  ByteView part = bytes(size);
  std::uint64_t value = 0;
  for (std::size_t i = part.size(); i-- > 0;)
    value = value << 8 | static_cast<std::uint64_t>(part[i]);
  return value;
}

Status ByteReader::finish(std::string_view what) const {
  if (ok_) return {};
  return Error::corrupt(
      cat(what, " is truncated or malformed at byte ", failed_at_, " of ", bytes_.size()));
}

void ByteWriter::integer(std::uint64_t v, unsigned size) {
  for (unsigned i = 0; i < size; ++i) out_.push_back(static_cast<std::byte>(v >> (8 * i) & 0xff));
}

}  // namespace cloister
