// The imported functions that later steps ask about; all others are forgotten.
#pragma once

#include <span>
#include <string_view>

namespace cloister::measure::elf {

// Sorted by bytes. One table: which files libc and others open on a program's behalf
// (manifest-gen/closure/system_rows.cc), and which system calls a program makes that an enclave's
// library OS lacks or has only in part (manifest-gen/audit).
std::span<const std::string_view> noted_imports();

bool is_noted_import(std::string_view name);

}  // namespace cloister::measure::elf
