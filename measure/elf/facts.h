// What the dynamic loader reads of an ELF file (ELF gABI, System V x86-64 psABI, glibc's version
// extensions), as plain values. Only 64-bit little-endian files are read further than their class
// and machine; others are reported with those two and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::measure::elf {

inline constexpr std::uint16_t kMachine386 = 3, kMachineX86_64 = 62, kMachineAarch64 = 183;
inline constexpr std::uint16_t kTypeExec = 2, kTypeDyn = 3;

// One library of DT_VERNEED: the versions needed from the file with that soname.
struct VersionNeed {
  std::string file;
  struct Version {
    std::string name;
    bool weak = false;  // VER_FLG_WEAK
    bool operator==(const Version&) const = default;
  };
  std::vector<Version> versions;
  bool operator==(const VersionNeed&) const = default;
};

// One feature of .note.dlopen metadata (uapi-group.org, ELF dlopen metadata): the alternatives of a
// library that the object may open, best first.
struct DlopenNote {
  std::vector<std::string> sonames;
  std::string feature, description;
  enum class Priority : std::uint8_t {
    required,
    recommended,
    suggested
  } priority = Priority::recommended;
  bool operator==(const DlopenNote&) const = default;
};

struct Facts {
  bool is_64 = false;
  bool little_endian = false;
  std::uint8_t os_abi = 0;
  std::uint16_t type = 0;           // e_type
  std::uint16_t machine = 0;        // e_machine
  bool has_dynamic = false;         // PT_DYNAMIC present
  std::string interpreter;          // PT_INTERP without NUL; empty: static or a library
  std::vector<std::string> needed;  // DT_NEEDED, in order
  std::optional<std::string> rpath, runpath, soname;  // as in the string table, $ORIGIN unexpanded
  std::vector<VersionNeed> version_needs;
  std::vector<std::string> version_definitions;  // DT_VERDEF names, the base version excluded
  std::uint64_t flags = 0, flags_1 = 0;          // DT_FLAGS, DT_FLAGS_1

  std::vector<std::string> filters, auxiliaries;  // DT_FILTER, DT_AUXILIARY, in order
  std::optional<std::string> audit, depaudit;     // DT_AUDIT, DT_DEPAUDIT: names separated by ':'

  // Evidence of what the code does beyond what the loader is told. Sorted, each once, bounded.
  std::vector<std::string> imports;  // undefined symbols that are in the table of noted_imports.h
  // Library names and absolute paths in read-only data; kUtf8Locale where that locale is named.
  std::vector<std::string> strings;
  std::vector<DlopenNote> dlopen_notes;  // in file order
  bool raw_syscalls = false;  // a program without interpreter and libraries that has "syscall"

  bool is_x86_64() const { return is_64 && little_endian && machine == kMachineX86_64; }
  bool operator==(const Facts&) const = default;
};

inline constexpr std::string_view kUtf8Locale = "C.UTF-8";

bool looks_like_elf(ByteView first_bytes);  // the four magic bytes

// Reads headers, dynamic section, strings and version tables by file offset (PT_LOAD mapping), no
// section headers: they are not what the loader uses, and stripped files lack them. `file` is the
// whole file. Damaged tables are `corrupt`; the caller decides whether that matters. `release`, if
// given, is told parts of the file that will hardly be looked at again: of a mapped file of a
// gigabyte not every page need stay.
using ReleasePart = std::function<void(ByteView)>;
Result<Facts> read_facts(ByteView file, const Limits& limits, const ReleasePart& release = {});

// One PT_LOAD (gABI "Program Header"), in program header order.
struct Segment {
  std::uint64_t offset, vaddr, file_size, memory_size;  // bytes
  std::uint32_t flags;                                  // PF_X 1, PF_W 2, PF_R 4
};
struct LoadImage {
  std::vector<Segment> segments;
  std::uint64_t entry = 0;  // e_entry
};
// For measuring: file_size <= memory_size and the file range inside the file are checked.
Result<LoadImage> read_load_segments(ByteView file, const Limits& limits);

}  // namespace cloister::measure::elf
