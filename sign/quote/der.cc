#include "sign/quote/der.h"

namespace cloister::sign {

std::optional<DerItem> DerReader::next() {
  DerItem item;
  item.tag = in_.u8();
  std::uint64_t size = in_.u8();
  if (size == 0x81) {
    size = in_.u8();
    if (size < 0x80) in_.fail();
  } else if (size == 0x82) {
    size = in_.u8();
    size = size << 8 | in_.u8();
    if (size < 0x100) in_.fail();
  } else if (size >= 0x80) {
    in_.fail();
  }
  item.value = in_.bytes(size);
  if (!in_.ok()) return std::nullopt;
  return item;
}

std::optional<DerItem> der_item(ByteView bytes) {
  DerReader in(bytes);
  const auto item = in.next();
  return in.more() ? std::nullopt : item;
}

std::optional<std::uint32_t> der_integer(const DerItem& item, std::uint32_t max) {
  if (item.tag != kDerInteger || item.value.empty() || item.value.size() > 3) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(item.value[0]);
  if (first >= 0x80) return std::nullopt;  // negative
  if (first == 0 && item.value.size() > 1 && static_cast<std::uint8_t>(item.value[1]) < 0x80)
    return std::nullopt;  // longer than needed
  std::uint32_t value = 0;
  for (const std::byte b : item.value) value = value << 8 | static_cast<std::uint8_t>(b);
  if (value > max) return std::nullopt;
  return value;
}

}  // namespace cloister::sign
