// An enclave image file, read once from its beginning to its end: what it holds, and the registers
// that the Nitro hypervisor will fill from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"
#include "measure/nitro/eif_header.h"
#include "measure/nitro/pcr.h"

namespace cloister::measure::nitro {

struct EifSection {
  EifSectionType type = EifSectionType::kernel;
  EifExtent extent;
  Digest sha256;            // of what follows the section's header
  std::uint32_t crc32 = 0;  // of zlib, over the section and its header
};

struct Eif {
  EifHeader header;
  std::vector<EifSection> sections;  // in the order of the file
  // Over contents, without headers, in the order of the file:
  Pcr pcr0{};  // kernel, command line and every ramdisk: all that decides what runs
  Pcr pcr1{};  // kernel, command line and the first ramdisk: what boots
  Pcr pcr2{};  // the other ramdisks: the application
  std::string command_line;
  std::string metadata;  // JSON text as it stands there, unmeasured; empty before version 4
  std::optional<Bytes> signature;  // the section, unread: sign/nitro knows what is in it
  std::uint64_t size = 0;          // bytes of the file

  bool arm64() const { return (header.flags & kEifArm64) != 0; }
};

// `corrupt` for a file that is not one, or not whole: sections that nothing or too much remains of,
// that stand where they may not (README, "Data sections"), or another CRC-32; `limit` above
// limits.eif_bytes. Only texts and the signature are held in memory. `what` names the file.
Result<Eif> read_eif(Source& file, const Limits& limits, std::string_view what);

// What a header's crc32 has to be in a file of this header, encoded, and these sections.
std::uint32_t eif_crc32(ByteView header, const std::vector<EifSection>& sections);

}  // namespace cloister::measure::nitro
