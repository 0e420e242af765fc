// --report FORMAT=FILE: several forms of one result in one run.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::cmd {

struct ReportFile {
  std::string format, path;
};

void add_report_option(CLI::App& app, std::vector<std::string>& words);
Result<std::vector<ReportFile>> parse_report_files(const std::vector<std::string>& words,
                                                   const std::vector<std::string_view>& formats);

}  // namespace cloister::cmd
