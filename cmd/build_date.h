// The date of everything a build writes: --date, else SOURCE_DATE_EPOCH, else the base image's
// `created`, else 1970-01-01; never the clock.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "cmd/environment.h"

namespace cloister::cmd {

// `option` is YYYY-MM-DD or an RFC 3339 time, or empty.
Result<Seconds> build_date(const std::string& option, const Environment& env,
                           std::optional<Seconds> base_created);

}  // namespace cloister::cmd
