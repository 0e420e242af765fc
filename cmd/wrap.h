// Text for terminals of a width. One code point counts as one column: our own texts have no wide
// characters, but an ellipsis.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::cmd {

std::size_t columns_of(std::string_view text);

// Broken between words, so that lines have at most `width` columns; a longer word is a line.
std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width);

// The same behind `head`, whose width the further lines are indented by. Each line ends in a line
// feed; without a word there is the head alone.
std::string wrapped(std::string_view text, std::string_view head, std::size_t width);

}  // namespace cloister::cmd
