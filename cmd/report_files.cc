#include "cmd/report_files.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {

void add_report_option(CLI::App& app, std::vector<std::string>& words) {
  app.add_option("--report", words, "Write a further report, FORMAT=FILE; repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("FORMAT=FILE");
}

Result<std::vector<ReportFile>> parse_report_files(const std::vector<std::string>& words,
                                                   const std::vector<std::string_view>& formats) {
  std::vector<ReportFile> out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    ReportFile one{word.substr(0, equals),
                   equals == std::string::npos ? std::string() : word.substr(equals + 1)};
    if (std::find(formats.begin(), formats.end(), one.format) != formats.end() &&
        !one.path.empty()) {
      out.push_back(std::move(one));
      continue;
    }
    std::string known;
    for (std::size_t i = 0; i < formats.size(); ++i)
      known += cat(i == 0 ? "" : i + 1 == formats.size() ? " and " : ", ", formats[i]);
    return Error::usage(cat("--report ", quote(word), " is not FORMAT=FILE"))
        .hint(cat("formats are ", known, ": --report json=report.json"));
  }
  return out;
}

}  // namespace cloister::cmd
