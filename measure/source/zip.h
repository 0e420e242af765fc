// Members of zip archives (APPNOTE.TXT 4.3), through the central directory. Private to the
// scanners.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cloister::measure::source {

struct ZipMember {
  std::string_view name;  // lives as long as the archive's bytes
  std::uint16_t method = 0;
  std::uint64_t packed = 0, size = 0;  // bytes, as the directory claims
  std::uint64_t local = 0;             // of its local header in the file
};

// In the order of the directory, up to the first damaged record; none when the bytes are no
// archive. What stands in front of the archive (a script) does not matter.
void for_each_zip_member(ByteView bytes, const std::function<void(const ZipMember&)>& visit);

// The first `max` bytes of a stored or deflated member at most; empty when it is damaged.
std::string zip_content(ByteView bytes, const ZipMember& member, std::uint64_t max);

}  // namespace cloister::measure::source
