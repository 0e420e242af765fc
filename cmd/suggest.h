// "did you mean": the nearest of some known words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::cmd {

// By Levenshtein distance: at most a third of the word's length, but two edits of a word of four
// letters and more, and one of a shorter one.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace cloister::cmd
