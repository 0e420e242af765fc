// A vector that grows leaves its former memory as it was: here the old buffer is wiped first.
#include "base/secret.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace cloister {
namespace {

constexpr std::size_t kFirstRoom = 16 << 10;  // more than any key or passphrase

void grow_secret(Bytes& bytes, std::size_t size) {
  Bytes larger(size);
  std::copy(bytes.begin(), bytes.end(), larger.begin());
  wipe(bytes);
  bytes = std::move(larger);
}

}  // namespace

void wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
}

void wipe(Bytes& bytes) {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe(bytes_);
  bytes_ = std::move(other.bytes_);
  return *this;
}

void Secret::keep_first_line() {
  auto end = std::find(bytes_.begin(), bytes_.end(), std::byte{'\n'});
  if (end != bytes_.begin() && *(end - 1) == std::byte{'\r'}) --end;
  std::fill(end, bytes_.end(), std::byte{0});
  bytes_.erase(end, bytes_.end());
}

Result<Secret> read_secret(Source& source, std::uint64_t max, std::string_view what) {
  Bytes buffer(kFirstRoom);
  std::size_t size = 0;
  for (;;) {
    if (size == buffer.size()) grow_secret(buffer, 2 * buffer.size());
    auto n = source.read(std::span(buffer).subspan(size));
    if (!n.has_value() || size + *n > max) {
      wipe(buffer);
      if (!n.has_value()) return std::move(n).error();
      return Error::limit(cat(what, " is larger than the limit of ", human_bytes(max)));
    }
    size += *n;
    if (*n > 0) continue;
    buffer.resize(size);
    return Secret(std::move(buffer));
  }
}

Result<Secret> read_secret_file(const fs::path& path, std::uint64_t max) {
  CL_TRY(auto source, FileSource::open(path));
  return read_secret(*source, max, quote(path.native()));
}

}  // namespace cloister
