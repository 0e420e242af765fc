// Text of others in GitHub's Markdown, within a table's cell.
#pragma once

#include <string>
#include <string_view>

namespace cloister::cmd {

// As it is: every character that Markdown or HTML could take for more is escaped.
std::string markdown_text(std::string_view text);
// The same in the type of code: <code>, as a span of backquotes could not hold a "|" in a table.
std::string markdown_code(std::string_view text);

}  // namespace cloister::cmd
