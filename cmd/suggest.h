// "did you mean": the nearest of some known words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::cmd {

// By Levenshtein distance, at most a third of the word's length (and at least one edit is allowed).
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace cloister::cmd
