// DER: a SEQUENCE with a two-byte length that is the whole file. Certificates have that shape too;
// who judges tells them apart.
#include "measure/index/key_mark.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace cloister::measure {
namespace {

constexpr std::string_view kPemSays = "PRIVATE KEY-----";
constexpr std::uint64_t kMinDerKey = 260, kMaxDerKey = 16 << 10;  // bytes
constexpr std::size_t kDerHead = 4;

// memmem skips where string_view::find steps.
bool says_private_key(std::string_view text) {
  return ::memmem(text.data(), text.size(), kPemSays.data(), kPemSays.size()) != nullptr;
}

bool has_der_shape(ByteView head, std::uint64_t size) {
  return size >= kMinDerKey && size <= kMaxDerKey && head.size() >= kDerHead &&
         head[0] == std::byte{0x30} && head[1] == std::byte{0x82} &&
         std::to_integer<std::uint64_t>(head[2]) * 256 + std::to_integer<std::uint64_t>(head[3]) +
                 kDerHead ==
             size;
}

}  // namespace

void KeyMark::begin(std::uint64_t size) {
  size_ = size;
  seen_ = tail_size_ = 0;
  marked_ = false;
}

void KeyMark::piece(ByteView bytes) {
  static_assert(kOverlap + 1 == kPemSays.size());
  if (size_ > kMaxKeyFile || marked_) return;
  // A first piece of less than four bytes hides the shape of one file in millions.
  if (seen_ == 0) marked_ = has_der_shape(bytes, size_);
  seen_ += bytes.size();
  const std::string_view text = as_text(bytes);
  if (tail_size_ > 0) {
    std::string seam(as_text(ByteView(tail_).first(tail_size_)));
    seam += text.substr(0, kOverlap);
    marked_ = marked_ || says_private_key(seam);
  }
  marked_ = marked_ || says_private_key(text);
  if (seen_ < size_) keep_tail(bytes);
}

// The last bytes of all pieces so far.
void KeyMark::keep_tail(ByteView bytes) {
  const std::size_t from_piece = std::min(bytes.size(), kOverlap);
  const std::size_t from_tail = std::min(tail_size_, kOverlap - from_piece);
  std::copy_n(tail_.begin() + static_cast<std::ptrdiff_t>(tail_size_ - from_tail), from_tail,
              tail_.begin());
  std::copy_n(bytes.end() - static_cast<std::ptrdiff_t>(from_piece), from_piece,
              tail_.begin() + static_cast<std::ptrdiff_t>(from_tail));
  tail_size_ = from_tail + from_piece;
}

}  // namespace cloister::measure
