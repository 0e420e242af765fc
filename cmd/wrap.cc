#include "cmd/wrap.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::size_t column = 0;  // of the last line's end
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t size = columns_of(word);
    if (lines.empty() || column + 1 + size > width) {
      lines.emplace_back(word);
      column = size;
    } else {
      lines.back() += cat(" ", word);
      column += 1 + size;
    }
  }
  return lines;
}

std::string wrapped(std::string_view text, std::string_view head, std::size_t width) {
  const std::size_t indent = columns_of(head);
  const auto lines = wrapped_lines(text, width > indent ? width - indent : 1);
  return cat(head, join(lines, cat("\n", std::string(indent, ' '))), "\n");
}

}  // namespace cloister::cmd
