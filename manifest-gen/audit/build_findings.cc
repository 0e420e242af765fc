#include "manifest-gen/audit/compatibility.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {

std::vector<Finding> build_findings(const BuildSubject& subject) {
  std::vector<Finding> out = closure_findings(subject.closure);
  const auto add = [&](std::vector<Finding> more) {
    for (Finding& finding : more) out.push_back(std::move(finding));
  };
  add(compatibility_findings(subject.launch, subject.closure, subject.rootfs));
  add(configuration_findings(subject.config, subject.manifest));
  add(credential_findings(subject.closure, subject.manifest));
  add(volume_findings(subject.launch, subject.manifest, subject.rootfs));
  add(manifest_findings(subject.manifest, &subject.rootfs));
  add(granted_findings(subject.manifest, &subject.rootfs));
  locate(out, subject.rootfs, subject.packages);
  sort_findings(out);
  return out;
}

}  // namespace cloister::manifest
