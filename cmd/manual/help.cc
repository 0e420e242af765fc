// --help: what it is for, how it is used, examples, then the options under their headings.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cmd/manual/render.h"
#include "cmd/option_heading.h"
#include "cmd/wrap.h"

namespace cloister::cmd {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kTextColumn = 26;

// Stands for a blank at which no line is broken: "[env: NAME]".
constexpr char kGlue = '\x1f';

std::vector<std::string> help_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines = wrapped_lines(text, width);
  for (std::string& line : lines) std::replace(line.begin(), line.end(), kGlue, ' ');
  return lines;
}

class Help {
 public:
  explicit Help(const HelpStyle& style) : style_(style) {}
  std::string out;

  void paragraph(std::string_view text) {
    for (const std::string& line : help_lines(text, style_.columns)) out += line + "\n";
  }
  void heading(std::string_view text) {
    out += cat("\n", style_.bold ? "\033[1m" : "", text, ":", style_.bold ? "\033[0m" : "", "\n");
  }
  // "  --output FILE         text, wrapped beside it"
  void row(const std::string& left, std::string_view text) {
    std::string line(kIndent, ' ');
    line += left;
    const std::size_t used = columns_of(line);
    bool beside = used + 2 <= kTextColumn;
    if (!beside) out += line + "\n";
    const std::size_t width = style_.columns > kTextColumn + 20 ? style_.columns - kTextColumn : 20;
    for (const std::string& part : help_lines(text, width)) {
      if (beside)
        out += cat(line, std::string(kTextColumn - used, ' '), part, "\n");
      else
        out += cat(std::string(kTextColumn, ' '), part, "\n");
      beside = false;
    }
  }
  // Broken where the shell would take it so too.
  void example(std::string_view text) {
    const auto lines = help_lines(text, style_.columns - 2 * kIndent - 4);
    for (std::size_t i = 0; i < lines.size(); ++i)
      out += cat(std::string(i == 0 ? kIndent : 2 * kIndent + 2, ' '), lines[i],
                 i + 1 < lines.size() ? " \\" : "", "\n");
  }

 private:
  const HelpStyle& style_;
};

std::string spelling(const OptionText& option) {
  std::string out = join(option.names, ", ");
  if (option.argument) return out + (option.repeatable ? "…" : "");
  if (option.names.front().starts_with("--")) out.insert(0, 4, ' ');  // below those with "-o, "
  if (option.value_optional) return cat(out, "[=", option.value, "]");
  return option.is_flag() ? out : cat(out, " ", option.value);
}

std::string explanation_of(const OptionText& option) {
  std::string out = option.text;
  if (!option.default_value.empty()) out += cat(" [default:", kGlue, option.default_value, "]");
  if (!option.variable.empty()) out += cat(" [env:", kGlue, option.variable, "]");
  return out;
}

}  // namespace

std::string help_text(const CommandText& command, const HelpStyle& style) {
  Help help(style);
  help.paragraph(command.summary);
  help.out += "\n";
  help.paragraph(cat("Usage: ", command.usage()));
  if (!command.examples.empty()) {
    help.heading("Examples");
    for (const std::string& example : command.examples) help.example(example);
  }
  if (!command.commands.empty()) {
    help.heading("Commands");
    for (const CommandText& sub : command.commands)
      help.row(std::string(sub.own_name()), sub.summary);
  }
  if (!command.arguments.empty()) {
    help.heading("Arguments");
    for (const OptionText& argument : command.arguments)
      help.row(spelling(argument), explanation_of(argument));
  }
  std::string_view heading;
  for (const OptionText& option : command.options) {
    if (option.heading != heading) help.heading(heading = option.heading);
    help.row(spelling(option), explanation_of(option));
  }
  if (!command.commands.empty())
    help.out += cat("\n", command.name, " COMMAND --help explains each of them, with examples.\n");
  return help.out;
}

}  // namespace cloister::cmd
