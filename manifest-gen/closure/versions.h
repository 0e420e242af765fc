// Symbol versions ("GLIBC_2.38"): whether a library defines one, and what it has instead.
#pragma once

#include <string>
#include <string_view>

#include "measure/elf/facts.h"

namespace cloister::manifest {

bool defines(const measure::elf::Facts& library, std::string_view version);
// "offers GLIBC_2.36 at most": the highest definition with the same prefix.
std::string offers(const measure::elf::Facts& library, std::string_view version);
// Compares the dotted numbers after the last '_': negative, zero, positive.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace cloister::manifest
