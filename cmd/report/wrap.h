// Text for terminals of a width.
#pragma once

#include <string>
#include <string_view>

namespace cloister::cmd {

// `text` behind `head`, broken between words so that lines have at most `width` columns; further
// lines are indented by the width of `head`. A word that is longer gets a line of its own. Each
// line ends in a line feed. One code point counts as one column.
std::string wrapped(std::string_view text, std::string_view head, unsigned width);

}  // namespace cloister::cmd
