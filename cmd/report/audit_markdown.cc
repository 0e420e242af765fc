// For a job summary or a pull request. Names from images are code spans, whose fence is longer than
// any in them; nothing of an image is markup.
#include <algorithm>

#include "base/text.h"
#include "cmd/report/audit.h"
#include "cmd/report/audit_targets.h"
#include "cmd/report/markdown.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;

constexpr std::size_t kMaxRows = 200;  // a job summary holds 1 MiB

void facts_table(std::string& out, const AuditReport& report) {
  out += "| | |\n|---|---|\n";
  for (const Fact& fact : audit_facts(report))
    out += cat("| ", fact.name, " | ", markdown_code(fact.value), " |\n");
}

std::string place(const Finding& finding) {
  std::string out = markdown_code(printable(finding.where));
  if (!finding.package.empty()) out += cat("<br>of ", markdown_code(printable(finding.package)));
  if (finding.source)
    out += cat("<br>at ",
               markdown_code(cat(printable(finding.source->file), ":", finding.source->line)));
  return out;
}

void finding_rows(std::string& out, const std::vector<const Finding*>& findings) {
  out += "| severity | rule | where | seen | fix |\n|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < findings.size() && i < kMaxRows; ++i) {
    const Finding& finding = *findings[i];
    out += cat("| ", manifest::severity_name(finding.severity), " | ", finding.id, " ",
               markdown_text(manifest::rule_of(finding).title), " | ", place(finding), " | ",
               markdown_text(printable(finding.evidence)), " | ",
               markdown_text(printable(finding.fix)), " |\n");
  }
  if (findings.size() > kMaxRows)
    out += cat("\nand ", findings.size() - kMaxRows, " more: the other formats have them all.\n");
}

void accepted_rows(std::string& out, const std::vector<const Finding*>& findings) {
  out += "| rule | where | because | says |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < findings.size() && i < kMaxRows; ++i) {
    const Finding& finding = *findings[i];
    out += cat("| ", finding.id, " | ", place(finding), " | ",
               markdown_text(printable(finding.accepted->reason)), " | ",
               markdown_code(printable(finding.accepted->by)),
               finding.accepted->until.empty() ? "" : " until ", finding.accepted->until, " |\n");
  }
}

}  // namespace

std::string audit_markdown(const AuditReport& report) {
  const bool passed = passes(report);
  std::string out = cat("## ", passed ? "✅" : "❌", " ", markdown_code(printable(report.name)), " ",
                        passed ? "passed" : "was refused", "\n\n");
  out += cat("Findings: ", count_phrase(report.findings), ".");
  if (report.fail_on)
    out += cat(" Refused from ", manifest::severity_name(*report.fail_on), " up.");
  out += "\n\n";
  facts_table(out, report);
  out += targets_markdown(report.targets);
  std::vector<const Finding*> open, accepted;
  for (const Finding& finding : report.findings)
    (finding.accepted ? accepted : open).push_back(&finding);
  if (!open.empty()) {
    out += "\n### Findings\n\n";
    finding_rows(out, open);
  }
  if (!accepted.empty()) {
    out += "\n### Accepted\n\n";
    accepted_rows(out, accepted);
  }
  return out;
}

}  // namespace cloister::cmd
