#include "cmd/report/wrap.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {
namespace {

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string wrapped(std::string_view text, std::string_view head, unsigned width) {
  const std::size_t indent = columns_of(head);
  std::string out(head);
  std::size_t column = indent;
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t size = columns_of(word);
    if (!first && column + 1 + size > width) {
      out += cat("\n", std::string(indent, ' '));
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += size;
    first = false;
  }
  return out + "\n";
}

}  // namespace cloister::cmd
