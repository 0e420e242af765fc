// The header of an enclave image file (EIF) of AWS Nitro Enclaves, and of each of its sections, as
// they are read and written (aws-nitro-enclaves-image-format, README, "The File Format"). All
// numbers are big-endian there; what is reserved is written as zero and not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::measure::nitro {

inline constexpr std::size_t kEifHeaderSize = 548, kEifSectionHeaderSize = 12;  // bytes
inline constexpr std::size_t kEifMinSections = 2, kEifMaxSections = 32;
inline constexpr std::uint64_t kEifMaxSignature = 32768;  // bytes of a signature section
inline constexpr std::uint16_t kEifVersion = 4;           // which is written; 2 and 3 are read too
inline constexpr std::uint16_t kEifArm64 = 1;             // a flag of the file; else x86-64

enum class EifSectionType : std::uint16_t {
  kernel = 1,
  command_line = 2,
  ramdisk = 3,
  signature = 4,
  metadata = 5,
};
// "kernel", "cmdline", "ramdisk", "signature", "metadata".
std::string_view eif_section_name(EifSectionType type);

struct EifExtent {
  std::uint64_t offset = 0;  // of the section's header, from the beginning of the file
  std::uint64_t size = 0;    // of what follows that header, bytes
  bool operator==(const EifExtent&) const = default;
};

struct EifHeader {
  std::uint16_t version = kEifVersion;
  std::uint16_t flags = 0;
  std::uint64_t default_memory = 1ULL << 30;  // bytes; like the next, nothing uses it
  std::uint64_t default_cpus = 2;
  std::vector<EifExtent> sections;  // in the order of the file
  std::uint32_t crc32 = 0;          // of zlib, over the file without these last four bytes of it

  bool operator==(const EifHeader&) const = default;
};

// `corrupt` for other bytes than a header's kEifHeaderSize; `unsupported` for another version.
// Sections must follow each other without a gap, as they do wherever anybody writes them: a file
// that one reader takes apart by these offsets and another one by its sections' own sizes would
// have two measurements.
Result<EifHeader> parse_eif_header(ByteView bytes);
// REQUIRES: at most kEifMaxSections sections.
Bytes encode_eif_header(const EifHeader& header);

struct EifSectionHeader {
  EifSectionType type = EifSectionType::kernel;
  std::uint64_t size = 0;  // bytes that follow
};
Result<EifSectionHeader> parse_eif_section_header(ByteView bytes);
Bytes encode_eif_section_header(const EifSectionHeader& header);

}  // namespace cloister::measure::nitro
