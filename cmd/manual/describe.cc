#include "cmd/manual/describe.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

// Descriptions are wrapped where they are shown.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// CLI11 writes what a value must be behind its name: "TEXT:{text,json}", "UINT:UINT in [1 - 64]".
void read_value(const CLI::Option& option, OptionText& out) {
  std::string type = option.get_type_name();
  if (const auto braces = type.find(":{"); braces != std::string::npos) {
    const auto end = type.find('}', braces);
    const std::string list = type.substr(braces + 2, end - braces - 2);
    for (const std::string_view choice : split(list, ',')) out.choices.emplace_back(choice);
    type.resize(braces);
  }
  if (const auto range = type.find(" in ["); range != std::string::npos)
    type.resize(type.rfind(':', range));
  if (option.get_items_expected_max() == 0) {
    out.value_optional = type.starts_with('=');
    out.value = out.value_optional ? type.substr(1) : std::string();
    return;
  }
  if (const auto open = type.rfind("|TEMPLATE"); open != std::string::npos) {
    out.open = true;
    for (const std::string_view choice : split(std::string_view(type).substr(0, open), '|'))
      out.choices.emplace_back(choice);
    out.value = type;
    return;
  }
  if (type == "UINT" || type == "INT") type = "N";
  out.value = out.choices.empty() ? type : join(out.choices, "|");
}

// In the order of names: CLI11 keeps them by address, which differs from run to run.
std::string names_of(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const CLI::Option* option : options) names.push_back("--" + option->get_lnames().front());
  std::sort(names.begin(), names.end());
  return join(names, ", ");
}

OptionText describe_option(const CLI::Option& option) {
  OptionText out;
  out.heading = option.get_group();
  out.argument = option.get_positional();
  out.required = option.get_required();
  read_value(option, out);
  if (out.argument) {
    out.names = {option.get_name(true, false)};
    if (out.value == "TEXT") out.value = out.names.front();
  }
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  // Of "--tls-verify, !--no-tls-verify" the second says no more than --tls-verify=false.
  const auto& negative = option.get_fnames();
  for (const std::string& name : option.get_lnames())
    if (option.get_lnames().size() == 1 ||
        std::find(negative.begin(), negative.end(), name) == negative.end())
      out.names.push_back("--" + name);
  out.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll ||
                   option.get_items_expected_max() > 1;
  out.text = one_line(option.get_description());
  if (!option.get_excludes().empty())
    out.text += cat(" (not with ", names_of(option.get_excludes()), ")");
  if (!option.get_needs().empty()) out.text += cat(" (with ", names_of(option.get_needs()), ")");
  out.default_value = option.get_default_str();
  out.variable = option.get_envname();
  return out;
}

std::size_t heading_rank(const OptionText& option) {
  return static_cast<std::size_t>(std::find(kHeadings.begin(), kHeadings.end(), option.heading) -
                                  kHeadings.begin());
}

// A command shows the examples that are its own: the table has them for each row as a whole.
std::vector<std::string> examples_of(const CLI::App& app, const std::string& name) {
  const std::string footer = app.get_footer();
  std::vector<std::string> out;
  for (const std::string_view line : split(footer, '\n')) {
    const std::string_view example = trim(line);
    if (!example.empty() &&
        (app.get_parent() == nullptr || app.get_parent()->get_parent() == nullptr ||
         cat(example, " ").find(name + " ") != std::string::npos))
      out.emplace_back(example);
  }
  return out;
}

CommandText describe_below(const CLI::App& app, const std::string& before) {
  CommandText out;
  out.name = before.empty() ? app.get_name() : cat(before, " ", app.get_name());
  out.summary = one_line(app.get_description());
  for (const CLI::Option* option : app.get_options({})) {
    OptionText text = describe_option(*option);
    (text.argument ? out.arguments : out.options).push_back(std::move(text));
  }
  std::stable_sort(out.options.begin(), out.options.end(),
                   [](const auto& a, const auto& b) { return heading_rank(a) < heading_rank(b); });
  for (const CLI::App* sub : app.get_subcommands({}))
    out.commands.push_back(describe_below(*sub, out.name));
  out.examples = examples_of(app, out.name);
  return out;
}

}  // namespace

CommandText describe(const CLI::App& app) {
  return describe_below(app, "");
}

}  // namespace cloister::cmd
