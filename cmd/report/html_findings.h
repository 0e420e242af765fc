// The findings of the HTML report.
#pragma once

#include "base/json.h"
#include "cmd/report/html_markup.h"

namespace cloister::cmd {

// By severity, then by rule: what it means and the fix once, then each place with its evidence.
// Accepted ones come last, folded, with who accepted them and why.
Markup html_findings(const Json& audit);

}  // namespace cloister::cmd
