#include "manifest-gen/audit/locate.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace cloister::manifest {

void locate(std::vector<Finding>& findings, const measure::Rootfs& rootfs,
            const PackageIndex& packages) {
  for (Finding& finding : findings) {
    if (finding.files.empty()) continue;
    const measure::Node* node = rootfs.find(finding.files.front());
    if (node == nullptr) continue;
    finding.layer = rootfs.layers()[node->layer].index->blob.str();
    if (const Package* owner = packages.owner(*node))
      finding.package =
          owner->version.empty() ? owner->name : cat(owner->name, " ", owner->version);
  }
}

void sort_findings(std::vector<Finding>& findings) {
  const auto rank = [](const Finding& f) {
    return std::make_tuple(f.accepted.has_value(), -static_cast<int>(f.severity),
                           std::string_view(f.id), std::string_view(f.where),
                           std::string_view(f.evidence));
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
  findings.erase(
      std::unique(findings.begin(), findings.end(),
                  [&](const Finding& a, const Finding& b) { return rank(a) == rank(b); }),
      findings.end());
}

}  // namespace cloister::manifest
