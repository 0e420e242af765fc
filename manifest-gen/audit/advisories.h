// Known weaknesses of runtimes: templates/advisories.toml as values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/audit/finding.h"

namespace cloister::manifest {

struct Advisory {
  std::string id;       // stable; what --accept takes
  std::string runtime;  // "gramine"
  std::string before;   // the first version without it: "1.6.2"
  std::string date;     // YYYY-MM-DD
  Severity severity = Severity::critical;
  std::string summary, fix, source;
};

Result<std::vector<Advisory>> load_advisories();

// Those that hold for this version of a runtime; none for a version that is not known.
Result<std::vector<Advisory>> advisories_for(std::string_view runtime, std::string_view version);

// Whether a version ("1.6", "1.6.1", "1.9-2", "1.8post") is older than `before`. Missing numbers
// count as zero; what follows the numbers is passed over. An unreadable version is not older.
bool is_before(std::string_view version, std::string_view before);

}  // namespace cloister::manifest
