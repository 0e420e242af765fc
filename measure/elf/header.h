// The ELF header and program headers of a 64-bit little-endian file, and addresses mapped to bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::measure::elf {

// e_ident and the two fields that every class has in the same place.
struct Identity {
  bool is_64 = false, little_endian = false;
  std::uint8_t os_abi = 0;
  std::uint16_t machine = 0;
};
Result<Identity> read_identity(ByteView file);

inline constexpr std::uint32_t kLoad = 1, kDynamic = 2, kInterp = 3, kNote = 4;  // p_type
inline constexpr std::uint32_t kExecutable = 1, kWritable = 2;                   // p_flags

struct ProgramHeader {
  std::uint32_t type = 0, flags = 0;
  std::uint64_t offset = 0, vaddr = 0, file_size = 0, memory_size = 0;  // bytes
  std::uint64_t alignment = 0;
};

struct Headers {
  std::uint16_t type = 0;
  std::uint64_t entry = 0;
  std::vector<ProgramHeader> program_headers;
};
// REQUIRES: read_identity said 64-bit and little-endian.
Result<Headers> read_headers(ByteView file, const Limits& limits);

// Bytes as the dynamic loader will see them: by address, through PT_LOAD, the parts that come from
// the file only. The views live as long as the file's bytes.
class Memory {
 public:
  Memory(ByteView file, const std::vector<ProgramHeader>& headers);
  // From `address` to the end of its segment's file part, or nothing when no segment holds it.
  std::optional<ByteView> at(std::uint64_t address) const;
  // Like at(), but at least `size` bytes.
  std::optional<ByteView> at(std::uint64_t address, std::uint64_t size) const;

 private:
  ByteView file_;
  std::vector<ProgramHeader> loads_;
};

}  // namespace cloister::measure::elf
