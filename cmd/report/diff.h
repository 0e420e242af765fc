// What changed between two enclaves, in every form.
#pragma once

#include <string>
#include <vector>

#include "manifest-gen/audit/permissions.h"

namespace cloister::cmd {

struct DiffReport {
  std::string before, after;  // as the user named them
  std::vector<manifest::Change> changes;
};

std::string diff_json(const DiffReport& report);  // schema/diff.schema.json
std::string diff_text(const DiffReport& report, unsigned width, bool color);
std::string diff_markdown(const DiffReport& report);
std::string diff_sarif(const DiffReport& report);  // what widens
std::string diff_html(const DiffReport& report);   // one file, without scripts

// "3 widen, 1 narrows, 12 differ", or "the same".
std::string change_phrase(const std::vector<manifest::Change>& changes);
// One line for people: "files: + /usr/bin/sh".
std::string change_line(const manifest::Change& change);

}  // namespace cloister::cmd
