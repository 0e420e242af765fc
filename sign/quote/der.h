// DER (X.690) as far as the extensions of attestation certificates need it: definite lengths below
// 64 KiB, items one after the other, no recursion.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace cloister::sign {

inline constexpr std::uint8_t kDerInteger = 0x02, kDerOctets = 0x04, kDerOid = 0x06,
                              kDerIa5String = 0x16, kDerSequence = 0x30;

struct DerItem {
  std::uint8_t tag = 0;
  ByteView value;
};

// Lengths must be as short as can be (X.690, 10.1).
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : in_(bytes) {}
  bool more() const { return in_.remaining() > 0; }
  std::optional<DerItem> next();  // nothing when there is none, or it is malformed

 private:
  ByteReader in_;
};

// The only item that there is.
std::optional<DerItem> der_item(ByteView bytes);
// An INTEGER from 0 to `max`, which is below 2^23.
std::optional<std::uint32_t> der_integer(const DerItem& item, std::uint32_t max);

}  // namespace cloister::sign
