// A source that gives one byte at a time: pieces of the same bytes must make no difference.
#pragma once

#include "base/stream.h"

namespace cloister {

class Trickle final : public Source {
 public:
  explicit Trickle(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (rest_.empty()) return std::size_t{0};
    out.front() = rest_.front();
    rest_ = rest_.subspan(1);
    return std::size_t{1};
  }

 private:
  ByteView rest_;
};

}  // namespace cloister
