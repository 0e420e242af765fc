#include <vector>

#include "base/text.h"
#include "cmd/manual/render.h"

namespace cloister::cmd {
namespace {

// Text in a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '\\' || c == '[') out += '\\';
    out += c;
  }
  return out;
}

// In backquotes a bar still ends the cell, unless it is escaped.
std::string code(std::string_view text) {
  std::string out = "`";
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out + "`";
}

std::string markdown_name(const OptionText& option) {
  std::string names = join(option.names, ", ");
  if (option.argument && option.repeatable) names += "…";
  if (option.value_optional)
    names += cat("[=", option.value, "]");
  else if (!option.argument && !option.is_flag())
    names += cat(" ", option.value);
  return code(names);
}

void markdown_rows(const std::vector<OptionText>& options, std::string& out) {
  std::string_view heading = "";
  for (const OptionText& option : options) {
    if (option.heading != heading || option.argument) {
      if (!option.argument || &option == &options.front())
        out += cat("\n| ", option.argument ? "Argument" : option.heading, " | |\n|---|---|\n");
      heading = option.heading;
    }
    out += cat("| ", markdown_name(option), " | ", cell(option.text));
    if (!option.default_value.empty()) out += cat("; default ", code(option.default_value));
    if (!option.variable.empty()) out += cat("; ", code("$" + option.variable));
    out += " |\n";
  }
}

void markdown_command(const CommandText& command, const char* level, std::string& out) {
  out += cat("\n", level, " ", command.name, "\n\n", cell(command.summary), ".\n\n```\n",
             command.usage(), "\n```\n");
  if (!command.examples.empty() && command.commands.empty())
    out += cat("\n```\n", join(command.examples, "\n"), "\n```\n");
  markdown_rows(command.arguments, out);
  if (command.commands.empty()) markdown_rows(command.options, out);
}

}  // namespace

std::string markdown_reference(const CommandText& program) {
  std::string out =
      "# Reference of the command line\n\n"
      "Made from the command table by `cloister_docs`; a test compares.\n\n"
      "Every command has `-h, --help`. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a policy, "
      "gate\nor check said no, 4 not found or not authorised, 130 interrupted.\n\n"
      "| Command | |\n|---|---|\n";
  for (const CommandText& command : program.commands) {
    const std::vector<CommandText> self = {command};
    for (const CommandText& leaf : command.commands.empty() ? self : command.commands) {
      std::string anchor = leaf.name;
      for (char& c : anchor)
        if (c == ' ') c = '-';
      out += cat("| [`", leaf.name, "`](#", anchor, ") | ", cell(leaf.summary), " |\n");
    }
  }
  for (const CommandText& command : program.commands) {
    markdown_command(command, "##", out);
    for (const CommandText& sub : command.commands) markdown_command(sub, "###", out);
  }
  return out;
}

}  // namespace cloister::cmd
