// What a rehearsal showed, in the HTML report.
#pragma once

#include "base/json.h"
#include "cmd/report/html_markup.h"

namespace cloister::cmd {

// The whole section; nothing without a rehearsal.
Markup html_rehearsal(const Json& audit);
// The link to it, for the bar.
Markup html_rehearsal_link(const Json& audit);

}  // namespace cloister::cmd
