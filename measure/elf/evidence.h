// What a file's code does beyond what the loader is told, as far as its bytes give it away: the
// functions it imports, the paths and library names it holds, system calls of its own.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"
#include "measure/elf/dynamic.h"
#include "measure/elf/facts.h"
#include "measure/elf/header.h"

namespace cloister::measure::elf {

// Sets imports, strings, dlopen_notes and raw_syscalls; the other facts must be there already.
// `table` may be null (no dynamic section). Never fails: damaged tables give less evidence, and
// what exceeds the limits is left out.
void read_evidence(ByteView file, const Headers& headers, const Memory& memory,
                   const DynamicTable* table, const Limits& limits, const ReleasePart& release,
                   Facts& facts);

}  // namespace cloister::measure::elf
