// The table [findings] of a policy file (manifest-gen/audit/audit_policy.h), beside what `verify`
// asks of an image.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/audit/audit_policy.h"

namespace cloister::cmd {

// A file without the table decides nothing. What the other tables hold is `verify`'s to check;
// their names are known here, so that a misspelled one is an error wherever the file is used.
Result<manifest::AuditPolicy> load_findings_policy(const std::string& file, const Limits& limits);
// The same of a text that was read from `file`.
Result<manifest::AuditPolicy> parse_findings_policy(std::string_view text, const std::string& file,
                                                    const Limits& limits);

}  // namespace cloister::cmd
