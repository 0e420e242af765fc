// A stream that arrives in pieces of a given size, as from a network, and may fail at its end.
#pragma once

#include <algorithm>
#include <optional>

#include "base/stream.h"

namespace cloister {

class PiecesSource final : public Source {
 public:
  PiecesSource(ByteView bytes, std::size_t piece, std::optional<Error> at_end = std::nullopt)
      : rest_(bytes), piece_(piece), at_end_(std::move(at_end)) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t n = std::min({out.size(), piece_, rest_.size()});
    if (n == 0 && at_end_) return at_end_->clone();
    std::copy_n(rest_.begin(), n, out.begin());
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  ByteView rest_;
  std::size_t piece_;
  std::optional<Error> at_end_;
};

}  // namespace cloister
