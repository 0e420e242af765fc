// The manual in its forms: each a function of what describe() found.
#pragma once

#include <string>

#include "cmd/manual/description.h"

namespace cloister::cmd {

struct HelpStyle {
  std::size_t columns = 80;  // of the terminal; lines are no longer than that
  bool bold = false;         // headings
};

// --help.
std::string help_text(const CommandText& command, const HelpStyle& style);

// A page for man(7), section 1, of the program or of one of its commands with all below it.
// `version` stands in the page's foot; there is no date, which would differ from build to build.
std::string man_page(const CommandText& command, const std::string& version);
// "cloister-cache.1".
std::string man_page_name(const CommandText& command);

// All commands in one Markdown document.
std::string markdown_reference(const CommandText& program);

}  // namespace cloister::cmd
