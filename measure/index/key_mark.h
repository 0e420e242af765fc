// Marks files that may hold a private key, while they stream by: what a build must not publish is
// looked for among the marked ones alone (sign/found_key.h judges). A PEM text says so itself,
// wherever in the file it stands; a DER document has the shape and size of one.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace cloister::measure {

// Files larger than this are not looked at.
inline constexpr std::uint64_t kMaxKeyFile = 1ULL << 20;  // bytes

// For each file: begin, piece…, marked. Reused from file to file. Not thread-safe.
class KeyMark {
 public:
  void begin(std::uint64_t size);
  void piece(ByteView bytes);
  bool marked() const { return marked_; }

 private:
  static constexpr std::size_t kOverlap = 15;  // one less than what PEM says
  void keep_tail(ByteView bytes);

  std::uint64_t size_ = 0, seen_ = 0;
  bool marked_ = false;
  std::array<std::byte, kOverlap> tail_{};  // the end of the pieces before
  std::size_t tail_size_ = 0;
};

}  // namespace cloister::measure
