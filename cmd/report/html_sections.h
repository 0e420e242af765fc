// The parts of the HTML report that need no script: what a reviewer decides by.
#pragma once

#include "base/json.h"
#include "cmd/report/html_markup.h"

namespace cloister::cmd {

// Passed or not and why, the counts, and what was looked at.
Markup html_verdict(const Json& audit);
// What it may do: files, network, processes, writable places, what the host may hand in.
Markup html_surface(const Json& audit);

}  // namespace cloister::cmd
