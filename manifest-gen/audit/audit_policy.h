// What people decide about findings: how bad they are here, and which are taken as they are, why
// and until when. It stands in a policy file, beside what `verify` asks of an image:
//
//   schemaVersion = 1
//   [findings]
//   fail-on = "high"                 # audit refuses what has findings that bad; verify too
//   [findings.severity]
//   CL327 = "info"
//   [[findings.accept]]
//   id = "CL303"
//   where = "file:/srv/uploads*"     # optional; '*' and '?' as usual, '*' across slashes too
//   reason = "public files; checked by the program"
//   until = "2027-06-30"             # optional: the last day
//
// or in a comment of an overlay or manifest, on the line it is about, above it, or (followed by an
// empty line) for the whole document:
//
//   # cloister: accept CL303 until 2027-06-30 because the program checks what it reads
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/toml.h"
#include "manifest-gen/audit/finding.h"

namespace cloister::manifest {

struct AcceptRule {
  std::string id;      // of a rule or an advisory
  std::string where;   // pattern; empty: wherever
  std::string reason;  // never empty
  std::string until;   // "2027-06-30", or empty
  std::string by;      // who says so, for people: "policy.toml", "overlay.toml:12"
  // Only findings whose cause stands there.
  std::optional<Finding::Source> at;
};

struct AuditPolicy {
  std::optional<Severity> fail_on;
  std::vector<std::pair<std::string, Severity>> severities;  // by rule
  std::vector<AcceptRule> accepted;
};

// The table `findings` of a policy; `invalid` for what is not known there, an unknown id included:
// a decision about a rule that does not exist was meant for another one.
Result<AuditPolicy> parse_audit_policy(const TomlTable& findings, std::string_view what);

// The comments of `text` that accept findings; `what` names it. A comment that begins as one and is
// none is `invalid`.
Result<std::vector<AcceptRule>> accepted_in_comments(std::string_view text, std::string_view what);

// `today` is "YYYY-MM-DD". An acceptance that has run out accepts nothing, and the finding says so.
void apply_policy(const AuditPolicy& policy, std::string_view today,
                  std::vector<Finding>& findings);

// The worst that is not accepted; nothing when there is none.
std::optional<Severity> worst_of(const std::vector<Finding>& findings);

}  // namespace cloister::manifest
