// roff for man(7). Hostile text does not come here, but backslashes, hyphens and leading dots of
// our own texts must not become requests.
#include "base/text.h"
#include "cmd/manual/render.h"

namespace cloister::cmd {
namespace {

std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '.' || c == '\'') && i == 0) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else if (text.substr(i).starts_with("…"))
      out += "\\&...", i += 2;
    else if (text.substr(i).starts_with("×"))
      out += "\\(mu", i += 1;
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) {
  return cat("\\fB", roff(text), "\\fR");
}
std::string italic(std::string_view text) {
  return cat("\\fI", roff(text), "\\fR");
}

std::string man_term(const OptionText& option) {
  if (option.argument) return italic(option.names.front()) + (option.repeatable ? "\\&..." : "");
  std::string out;
  for (const std::string& name : option.names) out += cat(out.empty() ? "" : ", ", bold(name));
  if (option.value_optional) return cat(out, "[=", italic(option.value), "]");
  return option.is_flag() ? out : cat(out, " ", italic(option.value));
}

void man_option(const OptionText& option, std::string& out) {
  out += cat(".TP\n", man_term(option), "\n", roff(option.text), ".\n");
  if (!option.default_value.empty())
    out += cat("The default is ", bold(option.default_value), ".\n");
  if (!option.variable.empty()) out += cat("Variable: ", bold(option.variable), ".\n");
}

// Options, arguments and examples of one command.
void man_body(const CommandText& command, const char* section, std::string& out) {
  if (!command.arguments.empty()) {
    out += cat(section, " ARGUMENTS\n");
    for (const OptionText& argument : command.arguments) man_option(argument, out);
  }
  std::string_view heading;
  for (const OptionText& option : command.options) {
    if (option.heading != heading) {
      heading = option.heading;
      std::string capital(heading);
      for (char& c : capital)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      out += cat(section, " \"", heading == "Options" ? "OPTIONS" : capital + " OPTIONS", "\"\n");
    }
    man_option(option, out);
  }
  if (command.examples.empty()) return;
  out += cat(section, " EXAMPLES\n");
  for (const std::string& example : command.examples)
    out += cat(".PP\n.nf\n.RS 4\n", roff(example), "\n.RE\n.fi\n");
}

constexpr std::string_view kManEnd =
    ".SH \"EXIT STATUS\"\n"
    ".TP\n0\nDone.\n"
    ".TP\n1\nFailed: bad input, a digest that does not match, an unresolved library, a bad key.\n"
    ".TP\n2\nWrong usage: the command line, or the file of \\fB\\-\\-file\\fR.\n"
    ".TP\n3\nA policy, gate or check said no.\n"
    ".TP\n4\nNot found, or not authorised.\n"
    ".TP\n130\nInterrupted.\n";

}  // namespace

std::string man_page_name(const CommandText& command) {
  std::string out = command.name;
  for (char& c : out)
    if (c == ' ') c = '-';
  return out + ".1";
}

std::string man_page(const CommandText& command, const std::string& version) {
  const std::string file = man_page_name(command);
  const std::string title = file.substr(0, file.size() - 2);
  const bool whole = command.name.find(' ') == std::string::npos;
  std::string capital = title;
  for (char& c : capital)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  std::string out = cat(".TH \"", roff(capital), "\" 1 \"\" \"cloister ", roff(version),
                        "\" \"cloister\"\n.SH NAME\n", roff(title), " \\- ");
  out += whole ? "makes signed, enclave\\-ready images of OCI images" : roff(command.summary);
  out += cat("\n.SH SYNOPSIS\n", bold(command.name),
             roff(command.usage().substr(command.name.size())), "\n");
  if (whole) out += cat(".SH DESCRIPTION\n", roff(command.summary), "\n");
  if (!whole) man_body(command, ".SH", out);
  if (!command.commands.empty()) out += ".SH COMMANDS\n";
  for (const CommandText& sub : command.commands) {
    if (whole) {
      out += cat(".TP\n", bold(sub.own_name()), "\n", roff(sub.summary), "; see ",
                 bold("cloister-" + std::string(sub.own_name())), "(1).\n");
      continue;
    }
    out += cat(".SS \"", roff(sub.usage()), "\"\n", roff(sub.summary), "\n");
  }
  if (!whole)
    for (const CommandText& sub : command.commands) {
      out += cat(".SH \"", roff(sub.name), "\"\n");
      man_body(sub, ".SS", out);
    }
  out += kManEnd;
  if (!whole) out += ".SH \"SEE ALSO\"\n\\fBcloister\\fR(1)\n";
  return out;
}

}  // namespace cloister::cmd
