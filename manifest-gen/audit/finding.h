// Findings: what a reviewer should know, as values. Text is made in cmd/report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

enum class Severity { info, low, medium, high, critical };
std::string_view severity_name(Severity severity);

struct Finding {
  std::string id;  // "CL001"; stable
  Severity severity = Severity::info;
  std::string where;         // key, file, runtime …
  std::string evidence;      // what was seen
  std::string fix;           // what to do
  bool stops_build = false;  // unless accepted by id
};

}  // namespace cloister::manifest
