// SHA-384, as AMD's and Nitro's launch measurements use it (OpenSSL EVP, fetched once).
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"

namespace cloister {

// 48 bytes in memory order. Text only at borders: hex() of base/text.h.
using Digest384 = std::array<std::byte, 48>;

// Incremental SHA-384. Not thread-safe; cheap to reuse: finish() makes it ready for the next input.
class Sha384 {
 public:
  Sha384();
  ~Sha384();
  Sha384(Sha384&&) noexcept;
  Sha384& operator=(Sha384&&) noexcept;
  void update(ByteView bytes);
  Digest384 finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Digest384 sha384(ByteView bytes);

}  // namespace cloister
