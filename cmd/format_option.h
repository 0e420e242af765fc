// --format and -o, as every command with a result has them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace cloister::cmd {

void add_format_option(CLI::App& app, std::string& format, std::vector<std::string> choices);
// One that takes a template too (template.h); `of_what` says what it is filled with.
void add_template_option(CLI::App& app, std::string& format, std::vector<std::string> choices,
                         const std::string& of_what);
bool is_template(const std::string& format);

// File for the result; empty, the default, is standard output.
void add_output_option(CLI::App& app, std::string& output);

}  // namespace cloister::cmd
