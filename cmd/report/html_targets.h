// Which kinds of confidential machine fit the program, in the HTML report.
#pragma once

#include "base/json.h"
#include "cmd/report/html_markup.h"

namespace cloister::cmd {

// The whole section; nothing where it is not known.
Markup html_targets(const Json& audit);
// The link to it, for the bar.
Markup html_targets_link(const Json& audit);

}  // namespace cloister::cmd
