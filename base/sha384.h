// SHA-384 (FIPS 180-4), with which confidential virtual machines are measured. What names and
// verifies contents is SHA-256 (base/digest.h).
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace cloister {

using Sha384Digest = std::array<std::byte, 48>;  // in memory order

// Incremental. Not thread-safe; cheap to reuse: finish() makes it ready for the next input.
class Sha384 {
 public:
  Sha384();
  ~Sha384();
  Sha384(Sha384&&) noexcept;
  Sha384& operator=(Sha384&&) noexcept;
  void update(ByteView bytes);
  Sha384Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Sha384Digest sha384(ByteView bytes);

}  // namespace cloister
