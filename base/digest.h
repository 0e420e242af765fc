// SHA-256 digests: the value, its text form, and the hasher (OpenSSL EVP, fetched once).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister {

// A SHA-256 digest: 32 bytes in memory order. Text only at borders.
// image-spec descriptor.md, "Digests": "sha256:" and 64 lower-case hex digits.
struct Digest {
  std::array<std::byte, 32> bytes{};

  std::string hex() const;  // 64 lower-case digits
  std::string str() const;  // "sha256:" + hex()
  ByteView view() const { return bytes; }
  auto operator<=>(const Digest&) const = default;

  // "sha256:…". Another registered algorithm is `unsupported`, everything else `corrupt`.
  static Result<Digest> parse(std::string_view text);
  // 64 hex digits without prefix.
  static Result<Digest> parse_hex(std::string_view text);
};

// Incremental SHA-256. Not thread-safe; cheap to reuse: finish() makes it ready for the next input.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Digest sha256(ByteView bytes);
inline Digest sha256(std::string_view text) {
  return sha256(as_bytes(text));
}

// HMAC-SHA-256 (RFC 2104).
Digest hmac_sha256(ByteView key, ByteView message);
// Compares in constant time.
bool equal_constant_time(ByteView a, ByteView b);
// Cryptographic random bytes from the operating system.
Result<Bytes> random_bytes(std::size_t size);

}  // namespace cloister

template <>
struct std::hash<cloister::Digest> {
  std::size_t operator()(const cloister::Digest& d) const noexcept;
};
