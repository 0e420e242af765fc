// Pull streams: a Source gives bytes, wrappers verify, hash, limit and count them.
//
// Wrappers hold a reference to their inner source: the caller owns the chain, usually as locals
// of one function, innermost first. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/result.h"

namespace cloister {

class Source {
 public:
  virtual ~Source() = default;
  // Fills a prefix of `out` and answers its length; 0 means the end (then and ever after).
  // REQUIRES: out is not empty.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

// The buffer size that all copy loops use.
inline constexpr std::size_t kStreamBuffer = 256 << 10;

class MemorySource final : public Source {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  ByteView rest_;
};

// Fails with `corrupt` unless the whole stream has exactly this size and digest. The error comes
// at the end of the stream, or at once when more than `size` bytes arrive: a reader that stops
// early has verified nothing.
class VerifySource final : public Source {
 public:
  VerifySource(Source& inner, const Digest& want, std::uint64_t size, std::string what);
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Source& inner_;
  Digest want_;
  std::uint64_t size_;
  std::string what_;
  Sha256 hasher_;
  std::uint64_t seen_ = 0;
  bool verified_ = false;  // its end was reached, and was the right one
};

// Feeds a hasher with what passes.
class HashSource final : public Source {
 public:
  HashSource(Source& inner, Sha256& hasher) : inner_(inner), hasher_(hasher) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Source& inner_;
  Sha256& hasher_;
};

// Fails with `limit` when more than `max` bytes arrive.
class LimitSource final : public Source {
 public:
  LimitSource(Source& inner, std::uint64_t max, std::string what)
      : inner_(inner), left_(max), max_(max), what_(std::move(what)) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Source& inner_;
  std::uint64_t left_, max_;
  std::string what_;
};

// Calls `on_bytes` with the size of each piece, and stops with `cancelled` when asked to.
class MeterSource final : public Source {
 public:
  MeterSource(Source& inner, std::function<void(std::size_t)> on_bytes, CancelToken cancel)
      : inner_(inner), on_bytes_(std::move(on_bytes)), cancel_(cancel) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Source& inner_;
  std::function<void(std::size_t)> on_bytes_;
  CancelToken cancel_;
};

// Reads exactly out.size() bytes, or up to the end: answers how many.
Result<std::size_t> read_full(Source& source, std::span<std::byte> out);
// The rest of the stream; `limit` error above `max` bytes. `expected`: how many there will be, if
// that is known; only speed depends on it.
Result<Bytes> read_all(Source& source, std::uint64_t max, std::string_view what,
                       std::uint64_t expected = 0);
// The same into a buffer that only grows: for whoever reads many files in turn. The view is of it.
Result<ByteView> read_all(Source& source, Bytes& buffer, std::uint64_t max, std::string_view what,
                          std::uint64_t expected = 0);
// Reads and drops the rest of the stream, answering its length.
Result<std::uint64_t> drain(Source& source);

}  // namespace cloister
