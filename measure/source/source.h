// What program text says about the other files it needs: the names it imports, per language. Found
// in the one pass over a layer, so that no analyser reads sources again.
//
// A scanner looks at text, runs nothing, and over-approximates: a name in a string or a comment may
// be reported, one that a program imports by a literal is not missed. Any bytes; time and memory
// linear in the text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"

namespace cloister::measure::source {

// Values are written to layer indexes: never renumber.
enum class Language : std::uint8_t {
  python = 1,
  javascript = 2,
  perl = 3,
  ruby = 4,
  php = 5,
  jar = 6,
  r = 7
};

struct Facts {
  Language language = Language::python;
  std::vector<std::string> names;  // in the spelling that the language's scanner documents; sorted
  bool dynamic = false;            // something is imported under a name that is computed
  bool operator==(const Facts&) const = default;
};

// One language: which files it looks at, and what it finds. One row of the table in source.cc and
// one file.
struct Scanner {
  Language language;
  // `path` is relative to the root; `shebang` is the text after "#!", or empty.
  bool (*wants)(std::string_view path, std::string_view shebang);
  Facts (*scan)(ByteView text, const Limits& limits);
};
std::span<const Scanner> scanners();

// Up to which size a file is scanned, bytes: archives whose directory tells what to read are
// larger.
std::uint64_t scanned_bytes(std::string_view path, std::string_view shebang, const Limits& limits);

// The first scanner that wants the file; null when none does.
const Scanner* scanner_for(std::string_view path, std::string_view shebang);

}  // namespace cloister::measure::source
