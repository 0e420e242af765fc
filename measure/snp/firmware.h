// What an OVMF image says about its launch as a SEV guest: the table before its reset vector
// (edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm) and the SEV metadata that it points at
// (OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm). Addresses are guest-physical, sizes bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/sha384.h"

namespace cloister::measure::snp {

enum class SectionType : std::uint32_t {
  sec_mem = 1,  // memory of the first phase: added empty
  secrets = 2,
  cpuid = 3,
  svsm_caa = 4,  // calling area of a secure VM service module: added empty
  kernel_hashes = 0x10,
};

// Memory that must be there at launch: whole pages. A section without any is left out of a launch.
struct Section {
  std::uint32_t gpa = 0, size = 0;
  SectionType type = SectionType::sec_mem;
  bool operator==(const Section&) const = default;
};

// Where the table of kernel_hashes.h is expected.
struct HashTableArea {
  std::uint32_t gpa = 0, size = 0;
  bool operator==(const HashTableArea&) const = default;
};

struct Firmware {
  std::uint64_t size = 0;                   // it ends at 4 GiB
  Digest384 digest{};                       // the launch digest after its pages
  std::optional<std::uint32_t> reset_eip;   // where processors other than the first start
  std::optional<HashTableArea> hash_table;  // nothing: it checks no kernel
  std::vector<Section> sections;            // in their order there; empty: no SEV-SNP firmware

  std::uint64_t gpa() const { return (1ULL << 32) - size; }
  const Section* section(SectionType type) const;  // the first of that type, or null
};

// `corrupt` unless the image consists of whole pages and ends in a table of OVMF's whose entries,
// metadata and sections lie where they can; `unsupported` for metadata of another version or
// sections of another type; `limit` above limits.firmware_bytes, for the image and for its
// sections, and above limits.firmware_entries.
Result<Firmware> parse_firmware(ByteView bytes, const Limits& limits);

}  // namespace cloister::measure::snp
