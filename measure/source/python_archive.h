// Zip archives of Python modules. Private to the scanner of Python, which hands them over.
#pragma once

#include <string_view>

#include "measure/source/source.h"

namespace cloister::measure::source {

// Larger ones are not looked into, bytes.
inline constexpr std::uint64_t kMaxPythonArchiveBytes = 64ULL << 20;

// ".pyz", ".egg" and the like.
bool is_python_archive_name(std::string_view path);
// An archive, with or without a "#!" line in front.
bool is_python_archive(ByteView bytes);
// The names of scan_python(), of all modules in the archive; none of its own.
Facts scan_python_archive(ByteView bytes, const Limits& limits);
// Of one module's text: an archive in an archive is none.
Facts scan_python_text(ByteView text, const Limits& limits);

}  // namespace cloister::measure::source
