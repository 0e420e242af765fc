// Jar files (zip archives: APPNOTE.TXT 4.3; JAR File Specification): what the manifest says about
// other files. Only the central directory and META-INF/MANIFEST.MF are read. Spelling of the names:
//   "class-path:URL"    one entry of Class-Path, relative to the jar
//   "main-class:NAME"   Main-Class
//   "agent-class:NAME"  Launcher-Agent-Class
//   "native:PATH"       a native library inside, of which programs make a temporary file
#pragma once

#include "measure/source/source.h"

namespace cloister::measure::source {

// Jars are read whatever their size up to this one, bytes.
inline constexpr std::uint64_t kMaxJarBytes = 1ULL << 30;

bool is_jar(std::string_view path, std::string_view shebang);
Facts scan_jar(ByteView bytes, const Limits& limits);

}  // namespace cloister::measure::source
