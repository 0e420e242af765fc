#include "manifest-gen/audit/audit_policy.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "manifest-gen/audit/advisories.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/closure/glob.h"

namespace cloister::manifest {
namespace {

constexpr const char* kPolicyHint = "manifest-gen/audit/audit_policy.h shows what [findings] holds";
constexpr std::string_view kMark = "cloister:";

Error wrong_entry(std::string_view what, std::string_view key, std::string_view want) {
  return Error::invalid(cat(what, ": ", quote(key), " is not ", want)).hint(kPolicyHint);
}

Status check_id(std::string_view id, std::string_view what) {
  if (find_rule(id) != nullptr) return {};
  CL_TRY(const std::vector<Advisory> advisories, load_advisories());
  const bool known = std::any_of(advisories.begin(), advisories.end(),
                                 [&](const Advisory& one) { return one.id == id; });
  if (known) return {};
  return Error::invalid(cat(what, ": there is no rule ", quote(id)))
      .hint("a finding shows its rule: CL303, or the name of an advisory");
}

Status check_until(std::string_view until, std::string_view what) {
  if (until.empty()) return {};
  const auto date = parse_date(until);
  // Compared as text, so it must be written in full.
  if (date.has_value() && format_date(*date) == until) return {};
  return Error::invalid(cat(what, ": ", quote(until), " is no date"))
      .hint("write the last day as YYYY-MM-DD");
}

Result<std::string> text_under(const TomlTable& table, std::string_view key,
                               std::string_view what) {
  const TomlValue* value = table.find(key);
  if (value == nullptr) return std::string();
  if (value->string() == nullptr) return wrong_entry(what, key, "a string");
  return *value->string();
}

Result<AcceptRule> parse_accept(const TomlTable& table, std::string_view what) {
  for (const auto& [key, value] : table)
    if (key != "id" && key != "where" && key != "reason" && key != "until")
      return Error::invalid(cat(what, " has an unknown key ", quote("findings.accept." + key)))
          .hint(kPolicyHint);
  AcceptRule out;
  CL_TRY(out.id, text_under(table, "id", what));
  CL_TRY(out.where, text_under(table, "where", what));
  CL_TRY(out.reason, text_under(table, "reason", what));
  CL_TRY(out.until, text_under(table, "until", what));
  out.by = what;
  CL_CHECK(check_id(out.id, what));
  CL_CHECK(check_until(out.until, what));
  if (trim(out.reason).empty())
    return Error::invalid(cat(what, " accepts ", out.id, " without a reason"))
        .hint("say why: whoever reads the report has to agree");
  return out;
}

Status parse_severities(const TomlValue& value, std::string_view what, AuditPolicy& out) {
  if (value.table() == nullptr) return wrong_entry(what, "findings.severity", "a table");
  for (const auto& [id, level] : *value.table()) {
    CL_CHECK(check_id(id, what));
    const auto severity =
        level.string() != nullptr ? parse_severity(*level.string()) : std::nullopt;
    if (!severity)
      return wrong_entry(what, cat("findings.severity.", id),
                         "one of critical, high, medium, low, info");
    out.severities.emplace_back(id, *severity);
  }
  return {};
}

// "accept CL303, CL304 until 2027-06-30 because …", behind the mark.
Result<std::vector<AcceptRule>> parse_remark(std::string_view text, const std::string& by) {
  const auto malformed = [&] {
    return Error::invalid(cat(by, ": ", quote(text), " is no decision about a finding"))
        .hint("write: # cloister: accept CL303 [until YYYY-MM-DD] because REASON");
  };
  constexpr std::string_view kAccept = "accept ", kBecause = " because ", kUntil = " until ";
  if (!text.starts_with(kAccept)) return malformed();
  const std::size_t because = text.find(kBecause);
  if (because == std::string_view::npos) return malformed();
  const std::string_view reason = trim(text.substr(because + kBecause.size()));
  std::string_view ids = text.substr(kAccept.size(), because - kAccept.size()), until;
  if (const std::size_t at = ids.find(kUntil); at != std::string_view::npos) {
    until = trim(ids.substr(at + kUntil.size()));
    ids = ids.substr(0, at);
  }
  if (reason.empty()) return malformed();
  CL_CHECK(check_until(until, by));
  std::vector<AcceptRule> out;
  for (const std::string_view part : split(ids, ',')) {
    const std::string_view id = trim(part);
    CL_CHECK(check_id(id, by));
    out.push_back({std::string(id), "", std::string(reason), std::string(until), by, {}});
  }
  return out;
}

bool is_blank_line(std::string_view line) {
  return trim(line).empty();
}

bool applies(const AcceptRule& rule, const Finding& finding) {
  if (rule.id != finding.id) return false;
  if (rule.at && (!finding.source || finding.source->file != rule.at->file ||
                  finding.source->line != rule.at->line))
    return false;
  return rule.where.empty() || match_component(rule.where, finding.where);
}

}  // namespace

Result<AuditPolicy> parse_audit_policy(const TomlTable& findings, std::string_view what) {
  AuditPolicy out;
  for (const auto& [key, value] : findings) {
    if (key == "fail-on") {
      const bool text = value.string() != nullptr;
      out.fail_on = text ? parse_severity(*value.string()) : std::nullopt;
      if (!out.fail_on)
        return wrong_entry(what, "findings.fail-on", "one of critical, high, medium, low, info");
    } else if (key == "severity") {
      CL_CHECK(parse_severities(value, what, out));
    } else if (key == "accept") {
      if (value.array() == nullptr) return wrong_entry(what, "findings.accept", "[[…]]");
      for (const TomlValue& item : *value.array()) {
        if (item.table() == nullptr) return wrong_entry(what, "findings.accept", "[[…]]");
        CL_TRY(AcceptRule rule, parse_accept(*item.table(), what));
        out.accepted.push_back(std::move(rule));
      }
    } else {
      return Error::invalid(cat(what, " has an unknown key ", quote("findings." + key)))
          .hint(kPolicyHint);
    }
  }
  return out;
}

Result<std::vector<AcceptRule>> accepted_in_comments(std::string_view text, std::string_view what) {
  std::vector<AcceptRule> out;
  const std::vector<std::string_view> lines = split(text, '\n');
  for (const TomlRemark& remark : toml_remarks(text)) {
    if (!remark.text.starts_with(kMark)) continue;
    const std::string by = cat(what, ":", remark.line);
    CL_TRY(auto rules, parse_remark(trim(std::string_view(remark.text).substr(kMark.size())), by));
    // The line that it is about: its own, or the first below that is no comment.
    std::size_t line = remark.line;
    if (remark.alone)
      while (line < lines.size() && trim(lines[line - 1]).starts_with('#')) ++line;
    const bool whole = remark.alone && is_blank_line(lines[line - 1]);
    const bool nothing_follows = remark.alone && trim(lines[line - 1]).starts_with('#');
    for (AcceptRule& rule : rules) {
      if (!whole && !nothing_follows) rule.at = Finding::Source{std::string(what), line};
      out.push_back(std::move(rule));
    }
  }
  return out;
}

void apply_policy(const AuditPolicy& policy, std::string_view today,
                  std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    for (const auto& [id, severity] : policy.severities) {
      if (id != finding.id || severity == finding.severity) continue;
      if (!finding.rule_severity) finding.rule_severity = finding.severity;
      finding.severity = severity;
    }
    for (const AcceptRule& rule : policy.accepted) {
      if (finding.accepted || !applies(rule, finding)) continue;
      if (!rule.until.empty() && rule.until < today) {
        finding.evidence += cat(" (was accepted until ", rule.until, " by ", rule.by, ")");
        continue;
      }
      finding.accepted = Finding::Acceptance{rule.reason, rule.until, rule.by};
    }
  }
}

std::optional<Severity> worst_of(const std::vector<Finding>& findings) {
  std::optional<Severity> worst;
  for (const Finding& finding : findings)
    if (!finding.accepted && (!worst || finding.severity > *worst)) worst = finding.severity;
  return worst;
}

}  // namespace cloister::manifest
