// Any text as .note.dlopen metadata: features come out with names, or an error.
#include <cstddef>
#include <cstdint>

#include "measure/elf/dlopen_note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const auto notes =
      measure::elf::parse_dlopen_note(as_text(std::as_bytes(std::span(data, size))), Limits());
  if (!notes.has_value()) return 0;
  for (const auto& note : *notes) {
    if (note.sonames.empty()) __builtin_trap();
    for (const std::string& name : note.sonames)
      if (name.empty() || name.find('\0') != std::string::npos) __builtin_trap();
  }
  return 0;
}
