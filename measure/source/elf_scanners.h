// Shared objects that are modules of a language: they too import by name. One row of the table in
// source.cc for each language that has them.
#pragma once

#include <string_view>

#include "measure/source/source.h"

namespace cloister::measure::source {

// The scanner that wants an ELF file of this path; null when none does. Its `scan` is given the
// whole file, of whatever size.
const Scanner* elf_scanner_for(std::string_view path);

}  // namespace cloister::measure::source
