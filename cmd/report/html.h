// The audit report as one HTML file for people (templates/report/).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::cmd {

// The page for the report that `audit --format json` writes ("cloister-audit-v1"). It makes no
// request, and its policy (CSP) lets only its own style and script be used. Without scripts it
// still shows verdict, surface and findings. A text that is no such report is `corrupt` or
// `unsupported`.
Result<std::string> audit_html(std::string_view json);

}  // namespace cloister::cmd
