#include "cmd/report/sgx_json.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/text.h"

namespace cloister::cmd {

std::string hex_le(std::uint64_t value, unsigned bytes) {
  ByteWriter writer;
  writer.u64(value);
  return hex(std::span<const std::byte>(writer.view()).first(bytes));
}

OrderedJson attributes_json(std::uint64_t flags, std::uint64_t flags_mask, std::uint64_t xfrm,
                            std::uint64_t xfrm_mask) {
  return {{"flags", hex_le(flags, 8)},
          {"flagsMask", hex_le(flags_mask, 8)},
          {"xfrm", hex_le(xfrm, 8)},
          {"xfrmMask", hex_le(xfrm_mask, 8)}};
}

}  // namespace cloister::cmd
