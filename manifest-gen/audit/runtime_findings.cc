// A runtime is trusted code: which one it was must be known afterwards, and must not be one that is
// known to be broken.
#include "base/text.h"
#include "manifest-gen/audit/advisories.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {

Result<std::vector<Finding>> runtime_findings(const measure::Runtime& runtime) {
  std::vector<Finding> out;
  for (const measure::RuntimeSource& source : runtime.sources) {
    if (!source.mutable_tag) continue;
    const std::string pinned =
        source.digest ? cat("name it by digest: @", source.digest->str()) : "name it by digest";
    out.push_back(make_finding(kRuleMutableRuntime, source.name,
                               "is named by a tag, which may mean other bytes tomorrow", pinned));
  }
  if (runtime.version.empty()) {
    out.push_back(make_finding(kRuleUnknownVersion, runtime.name,
                               "its version is not known, so that advisories cannot be checked",
                               "use a runtime that carries its version (a package or an image)"));
    return out;
  }
  CL_TRY(const std::vector<Advisory> advisories, advisories_for(runtime.name, runtime.version));
  for (const Advisory& advisory : advisories) {
    Finding finding = make_finding(
        kRuleAdvisory, cat(runtime.name, " ", runtime.version),
        cat(advisory.summary, " (", advisory.date, ", ", advisory.source, ")"), advisory.fix);
    finding.id = advisory.id;
    finding.severity = advisory.severity;
    finding.stops_build = true;
    out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace cloister::manifest
