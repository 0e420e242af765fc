// Functions and names whose use in Python text tells what it opens. Private to the scanner.
#pragma once

#include <string_view>

namespace cloister::measure::source {

// What a name that is called, or mentioned, tells.
enum class Call { none, command, import, library, find, entry, load_entry, computed, data };
// REQUIRES: `word` is not empty.
Call call_of(std::string_view word);

}  // namespace cloister::measure::source
