// For a terminal: the facts, the findings from the worst to the least, the verdict last, where the
// eye is when the program ends.
#include <algorithm>

#include "base/text.h"
#include "cmd/report/audit.h"
#include "cmd/report/audit_targets.h"
#include "cmd/report/painter.h"
#include "cmd/wrap.h"
#include "manifest-gen/audit/audit_policy.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;

constexpr std::size_t kLabel = 11;  // "mrenclave  "

std::string upper_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

void finding_text(std::string& out, const Finding& finding, unsigned width) {
  const auto line = [&](std::string_view label, std::string_view text) {
    std::string head = cat("    ", label);
    head.resize(12, ' ');
    out += wrapped(text, head, width);
  };
  out += wrapped(printable(finding.where), "  ", width);
  line("seen", printable(finding.evidence));
  line("fix", printable(finding.fix));
  if (!finding.package.empty()) line("of", printable(finding.package));
  if (finding.source) line("at", cat(printable(finding.source->file), ":", finding.source->line));
  if (finding.rule_severity)
    line("was", cat(manifest::severity_name(*finding.rule_severity), ", changed by the policy"));
  if (finding.accepted) {
    line("because", printable(finding.accepted->reason));
    line("says", cat(printable(finding.accepted->by),
                     finding.accepted->until.empty() ? "" : ", until ", finding.accepted->until));
  }
}

// All findings of a rule under its title.
void group(std::string& out, const std::vector<const Finding*>& findings, unsigned width,
           const Painter& paint) {
  const Finding& first = *findings.front();
  const manifest::Rule& rule = manifest::rule_of(first);
  std::string word =
      first.accepted ? "ACCEPTED" : upper_ascii(manifest::severity_name(first.severity));
  const std::string painted =
      first.accepted ? paint.faint(word) : paint.severity(first.severity, word);
  out += cat("\n", painted, std::string(word.size() < 9 ? 9 - word.size() : 1, ' '),
             paint.bold(first.id), "  ", rule.title, "\n");
  out += wrapped(rule.meaning, "  ", width);
  for (const Finding* finding : findings) finding_text(out, *finding, width);
}

}  // namespace

std::string audit_text(const AuditReport& report, unsigned width, bool color) {
  const Painter paint(color);
  std::string out = cat(paint.bold(printable(report.name)), "\n");
  for (const Fact& fact : audit_facts(report)) {
    std::string head = cat("  ", fact.name);
    head.resize(std::max(head.size() + 1, kLabel + 2), ' ');
    out += wrapped(fact.value, head, width);
  }
  out += targets_text(report.targets, width, color);
  for (std::size_t i = 0; i < report.findings.size();) {
    std::vector<const Finding*> same;
    const Finding& first = report.findings[i];
    for (; i < report.findings.size(); ++i) {
      const Finding& next = report.findings[i];
      if (next.id != first.id || next.severity != first.severity ||
          next.accepted.has_value() != first.accepted.has_value())
        break;
      same.push_back(&next);
    }
    group(out, same, width, paint);
  }
  const bool passed = passes(report);
  const std::string_view word = passed ? "PASSED" : "REFUSED";
  std::string verdict = cat("findings: ", count_phrase(report.findings));
  if (report.fail_on)
    verdict += cat("; refused from ", manifest::severity_name(*report.fail_on), " up");
  // Painted when it is broken into lines: an escape would count as columns.
  const std::string lines = wrapped(verdict, cat(word, "   "), width);
  return out + "\n" + (passed ? paint.good(word) : paint.bad(word)) + lines.substr(word.size());
}

}  // namespace cloister::cmd
