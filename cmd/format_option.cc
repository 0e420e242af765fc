#include "cmd/format_option.h"

#include <CLI/CLI.hpp>  // all of it: App.hpp alone leaves the vtables of its formatter undefined
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {

void add_format_option(CLI::App& app, std::string& format, std::vector<std::string> choices) {
  OptionHeading heading(app, kHeadingOutput);
  app.add_option("--format", format, "How the result is written")
      ->check(CLI::IsMember(std::move(choices)))
      ->capture_default_str();
}

bool is_template(const std::string& format) {
  return format.find("{{") != std::string::npos;
}

void add_template_option(CLI::App& app, std::string& format, std::vector<std::string> choices,
                         const std::string& of_what) {
  OptionHeading heading(app, kHeadingOutput);
  const std::string list = join(choices, ", ");
  app.add_option("--format", format,
                 cat("How the result is written: ", list, ", or a template of ", of_what))
      ->type_name(cat(join(choices, "|"), "|TEMPLATE"))
      ->check(CLI::Validator(
          [choices, list](const std::string& text) {
            if (is_template(text) ||
                std::find(choices.begin(), choices.end(), text) != choices.end())
              return std::string();
            return cat(printable(text), " is none of ", list, ", and no template with {{…}}");
          },
          "", ""))
      ->capture_default_str();
}

void add_output_option(CLI::App& app, std::string& output) {
  OptionHeading heading(app, kHeadingOutput);
  app.add_option("-o,--output", output, "File for the result (default: standard output)")
      ->type_name("FILE");
}

}  // namespace cloister::cmd
