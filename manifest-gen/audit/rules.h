// What is worth knowing about a runtime, a closure and a manifest, as findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/audit/finding.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {

// A rule's identity; findings carry it. One table in rules.cc, ids never change their meaning.
struct Rule {
  std::string_view id;
  Severity severity;       // the highest a finding of this rule has
  std::string_view title;  // for people: what it looks for
};
const std::vector<Rule>& rules();
inline constexpr std::string_view kRuleMutableRuntime = "CL101", kRuleUnknownVersion = "CL102";
// A finding with the severity of its rule.
Finding make_finding(std::string_view id, std::string where, std::string evidence, std::string fix);

// Not pinned by digest, of unknown version, under a known advisory (templates/advisories.toml). An
// advisory's finding has the advisory's own id and stops a build unless that id is accepted. Fails
// only when the compiled-in data is malformed.
Result<std::vector<Finding>> runtime_findings(const measure::Runtime& runtime);

// What the closure left out or could not find and the program may miss.
std::vector<Finding> closure_findings(const Closure& closure);

// The manifest's own risks. In the order of the rule table.
std::vector<Finding> manifest_findings(const EnclaveManifest& manifest);

}  // namespace cloister::manifest
