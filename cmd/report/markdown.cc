#include "cmd/report/markdown.h"

namespace cloister::cmd {
namespace {

// As entities, which Markdown takes for the character and never for markup.
void append_entity(std::string& out, char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '\n':
    case '\r':
      out += ' ';
      break;
    case '|':
    case '`':
    case '*':
    case '_':
    case '[':
    case ']':
    case '!':
    case '#':
    case '~':
    case '@':
    case '\\':
    case '"':
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
      break;
    default:
      out += c;
  }
}

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : text) append_entity(out, c);
  return out;
}

std::string markdown_code(std::string_view text) {
  // In a code span of Markdown's own a table would still end a cell at '|'; <code> takes entities.
  return "<code>" + markdown_text(text) + "</code>";
}

}  // namespace cloister::cmd
