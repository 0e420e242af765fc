// What has its cause in a file of the user's points there; all else is in the image.
#include "base/text.h"
#include "cmd/report/audit.h"
#include "cmd/report/sarif.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;
using manifest::Severity;

std::string_view sarif_level(Severity severity) {
  if (severity >= Severity::high) return "error";
  return severity == Severity::medium ? "warning" : "note";
}

// The scale of CVSS: critical above 9, high above 7, medium above 4.
std::string_view score_of(Severity severity) {
  static constexpr std::string_view kScores[] = {"0.0", "3.0", "5.5", "8.0", "9.5"};
  return kScores[static_cast<std::size_t>(severity)];
}

SarifResult sarif_result(const AuditReport& report, const Finding& finding) {
  const manifest::Rule& rule = manifest::rule_of(finding);
  SarifResult out;
  out.rule = finding.id;
  out.title = rule.title;
  out.meaning = rule.meaning;
  out.level = sarif_level(finding.severity);
  out.score = score_of(rule.severity);
  out.message = cat(printable(finding.where), ": ", printable(finding.evidence),
                    ". Fix: ", printable(finding.fix));
  out.file = printable(report.name);
  if (finding.source) {
    out.file = finding.source->file;
    out.line = finding.source->line;
  }
  out.place = printable(finding.where);
  out.place_kind = manifest::subject_name(finding.subject);
  out.fingerprint = finding.key;
  out.properties = {{"severity", std::string(manifest::severity_name(finding.severity))}};
  if (!finding.package.empty()) out.properties.emplace_back("package", finding.package);
  if (!finding.layer.empty()) out.properties.emplace_back("layer", finding.layer);
  if (finding.accepted)
    out.suppression = SarifResult::Suppression{
        finding.source && finding.accepted->by.starts_with(finding.source->file),
        cat(finding.accepted->reason, " (", finding.accepted->by, ")")};
  return out;
}

}  // namespace

std::string audit_sarif(const AuditReport& report) {
  std::vector<SarifResult> results;
  for (const Finding& finding : report.findings) results.push_back(sarif_result(report, finding));
  return sarif_document(results);
}

}  // namespace cloister::cmd
