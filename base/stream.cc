#include "base/stream.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace cloister {

Result<std::size_t> MemorySource::read(std::span<std::byte> out) {
  const std::size_t n = std::min(out.size(), rest_.size());
  std::copy_n(rest_.begin(), n, out.begin());
  rest_ = rest_.subspan(n);
  return n;
}

VerifySource::VerifySource(Source& inner, const Digest& want, std::uint64_t size, std::string what)
    : inner_(inner), want_(want), size_(size), what_(std::move(what)) {}

Result<std::size_t> VerifySource::read(std::span<std::byte> out) {
  CL_TRY(const std::size_t n, inner_.read(out));
  if (n > 0) {
    seen_ += n;
    if (seen_ > size_)
      return Error::corrupt(cat(what_, " is longer than its descriptor says"))
          .detail(cat("got more than ", size_, " bytes, want ", size_))
          .hint(
              "the server or the archive holds other bytes than the manifest names; pull again or "
              "ask its owner");
    hasher_.update(out.first(n));
    return n;
  }
  if (verified_) return 0;
  const Digest got = hasher_.finish();
  if (seen_ != size_)
    return Error::corrupt(cat(what_, " is truncated"))
        .detail(cat("got ", seen_, " bytes, want ", size_))
        .hint("the transfer or the archive ended early; try again");
  if (got != want_)
    return Error::corrupt(cat(what_, " does not match its digest"))
        .detail(cat("got ", got.str(), " after ", seen_, " bytes, want ", want_.str()))
        .hint("something between you and the source changed the bytes; do not trust this copy");
  verified_ = true;
  return 0;
}

Result<std::size_t> HashSource::read(std::span<std::byte> out) {
  CL_TRY(const std::size_t n, inner_.read(out));
  hasher_.update(out.first(n));
  return n;
}

Result<std::size_t> LimitSource::read(std::span<std::byte> out) {
  CL_TRY(const std::size_t n, inner_.read(out));
  if (n > left_)
    return Error::limit(cat(what_, " is larger than the limit of ", human_bytes(max_)));
  left_ -= n;
  return n;
}

Result<std::size_t> MeterSource::read(std::span<std::byte> out) {
  CL_CHECK(cancel_.check());
  CL_TRY(const std::size_t n, inner_.read(out));
  if (n > 0) on_bytes_(n);
  return n;
}

Result<std::size_t> read_full(Source& source, std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    CL_TRY(const std::size_t n, source.read(out.subspan(filled)));
    if (n == 0) break;
    filled += n;
  }
  return filled;
}

// What is expected may be a lie of an archive's header.
constexpr std::uint64_t kMostReserved = 64ULL << 20;

Result<ByteView> read_all(Source& source, Bytes& buffer, std::uint64_t max, std::string_view what,
                          std::uint64_t expected) {
  std::size_t size = 0;
  // With room for the read that finds the end.
  const std::uint64_t wanted = expected == 0 ? 0 : std::min({expected, max, kMostReserved}) + 1;
  if (buffer.size() < wanted) buffer.resize(wanted);
  for (;;) {
    if (size == buffer.size())
      buffer.resize(size + std::clamp<std::size_t>(size, 4096, kStreamBuffer));
    CL_TRY(const std::size_t n, source.read(std::span(buffer).subspan(size)));
    if (n == 0) return ByteView(buffer).first(size);
    size += n;
    if (size > max)
      return Error::limit(cat(what, " is larger than the limit of ", human_bytes(max)));
  }
}

Result<Bytes> read_all(Source& source, std::uint64_t max, std::string_view what,
                       std::uint64_t expected) {
  Bytes out;
  CL_TRY(const ByteView all, read_all(source, out, max, what, expected));
  out.resize(all.size());
  return out;
}

Result<std::uint64_t> drain(Source& source) {
  Bytes buffer(kStreamBuffer);
  std::uint64_t total = 0;
  for (;;) {
    CL_TRY(const std::size_t n, source.read(buffer));
    if (n == 0) return total;
    total += n;
  }
}

}  // namespace cloister
