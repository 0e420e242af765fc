// The dynamic section (gABI, "Dynamic Section"): the tags that decide what is loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/elf/facts.h"
#include "measure/elf/header.h"

namespace cloister::measure::elf {

// Values as they stand: addresses are virtual, strings are offsets from `strings`.
struct DynamicTable {
  std::vector<std::uint64_t> needed, filters, auxiliaries;
  std::optional<std::uint64_t> rpath, runpath, soname, audit, depaudit;
  std::optional<std::uint64_t> strings, version_needs, version_definitions;
  std::optional<std::uint64_t> symbols, hash, gnu_hash;
  std::uint64_t flags = 0, flags_1 = 0;
};
Result<DynamicTable> read_dynamic(const Memory& memory, const ProgramHeader& dynamic,
                                  const Limits& limits);

// The string table, bounded: one string, and all strings of one file together.
class Strings {
 public:
  Strings(const Memory& memory, std::uint64_t table, const Limits& limits);
  Result<std::string> at(std::uint64_t offset);

 private:
  const Memory& memory_;
  std::uint64_t table_;
  std::size_t max_;
  std::size_t budget_;
};

// gnu.version_r and gnu.version_d (LSB Core, "Symbol Versioning").
Result<std::vector<VersionNeed>> read_version_needs(const Memory& memory, std::uint64_t address,
                                                    Strings& strings, const Limits& limits);
Result<std::vector<std::string>> read_version_definitions(const Memory& memory,
                                                          std::uint64_t address, Strings& strings,
                                                          const Limits& limits);

}  // namespace cloister::measure::elf
