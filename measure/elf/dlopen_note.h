// The text of .note.dlopen metadata: which libraries a file may open at run time, said by those who
// built it (uapi-group.org, "ELF dlopen metadata").
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "measure/elf/facts.h"
#include "measure/elf/header.h"

namespace cloister::measure::elf {

// `json` without the NUL that ends it. Features that name no library are left out.
Result<std::vector<DlopenNote>> parse_dlopen_note(std::string_view json, const Limits& limits);

// All such notes of a file, in file order: those of PT_NOTE segments or, when there are none, of
// sections named ".note.dlopen" (a linker script may leave them out of every segment). Damaged
// notes are left out.
std::vector<DlopenNote> read_dlopen_notes(ByteView file, const Headers& headers,
                                          const Limits& limits);

}  // namespace cloister::measure::elf
