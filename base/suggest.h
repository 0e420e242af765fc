// "did you mean": the nearest of some known words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister {

// By Levenshtein distance: at most a third of the word's length, but two edits of a word of four
// letters and more, and one of a shorter one. Words beyond 64 bytes have nothing near.
class Nearest {
 public:
  explicit Nearest(std::string_view word);
  // Whether this is nearer than all before it; the first of several that are as near stays.
  bool offer(std::string_view candidate);

 private:
  std::string_view word_;
  std::size_t best_;
};

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);
// What stands beside a path that does not exist and has a name near its own.
std::optional<std::string> nearest_path(const std::filesystem::path& path);

// "did you mean 'build'?", or the other hint.
std::string did_you_mean(const std::optional<std::string>& near, std::string_view otherwise);

}  // namespace cloister
