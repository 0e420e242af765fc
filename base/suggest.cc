#include "base/suggest.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"

namespace cloister {
namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kMostNeighbours = 10000;

}  // namespace

// Of three letters, two others are another word.
Nearest::Nearest(std::string_view word)
    : word_(word), best_((word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1) {}

bool Nearest::offer(std::string_view candidate) {
  const std::size_t shorter = std::min(word_.size(), candidate.size());
  const std::size_t longer = std::max(word_.size(), candidate.size());
  if (word_.size() > kLongestWord || longer - shorter >= best_) return false;
  const std::size_t distance = edit_distance(word_, candidate);
  if (distance >= best_) return false;
  best_ = distance;
  return true;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  Nearest near(word);
  for (const std::string& candidate : known)
    if (near.offer(candidate)) best = candidate;
  return best;
}

std::optional<std::string> nearest_path(const std::filesystem::path& path) {
  const std::string name = path.filename().native();
  const std::filesystem::path directory = path.parent_path();
  std::optional<std::string> best;
  Nearest near(name);
  std::error_code error;
  std::size_t seen = 0;
  for (std::filesystem::directory_iterator
           entry(directory.empty() ? std::filesystem::path(".") : directory, error),
       end;
       !error && entry != end && seen < kMostNeighbours; entry.increment(error), ++seen) {
    const std::string other = entry->path().filename().native();
    if (other != name && near.offer(other)) best = (directory / other).native();
  }
  return best;
}

std::string did_you_mean(const std::optional<std::string>& near, std::string_view otherwise) {
  return near ? cat("did you mean ", quote(*near), "?") : std::string(otherwise);
}

}  // namespace cloister
