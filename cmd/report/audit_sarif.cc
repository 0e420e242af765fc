// SARIF 2.1.0 (OASIS), as code scanning takes it. A result must have a place in a file: what has
// its cause in a file of the user's points there; what is in the image points at a line of a file
// that is named after it, which stands in no repository and is shown as it is.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "cmd/report/audit.h"
#include "cmd/session.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;
using manifest::Severity;

std::string_view level(Severity severity) {
  if (severity >= Severity::high) return "error";
  return severity == Severity::medium ? "warning" : "note";
}

// The scale of CVSS, by which code scanning sorts: critical above 9, high above 7.
std::string_view security_severity(Severity severity) {
  static constexpr std::string_view kScores[] = {"0.0", "3.0", "5.5", "8.0", "9.5"};
  return kScores[static_cast<std::size_t>(severity)];
}

// A relative URI reference (RFC 3986): all but unreserved characters and '/' escaped.
std::string uri_reference(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  while (path.starts_with("./")) path.remove_prefix(2);
  for (const char c : path) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out.empty() ? "image" : out;
}

OrderedJson rule_json(std::string_view id, const manifest::Rule& rule) {
  return {{"id", id},
          {"shortDescription", {{"text", rule.title}}},
          {"fullDescription", {{"text", rule.meaning}}},
          {"defaultConfiguration", {{"level", level(rule.severity)}}},
          {"properties",
           {{"security-severity", security_severity(rule.severity)},
            {"tags", OrderedJson::array({"security", "enclave"})}}}};
}

// Stable from run to run, so that a finding is followed while lines move.
std::string fingerprint(const Finding& finding) {
  return sha256(cat(finding.id, "\n", finding.where, "\n", finding.key)).hex();
}

OrderedJson result_json(const AuditReport& report, const Finding& finding, std::size_t rule) {
  const bool own = finding.source.has_value();
  OrderedJson location = {
      {"physicalLocation",
       {{"artifactLocation",
         {{"uri", uri_reference(own ? finding.source->file : printable(report.name))}}},
        {"region", {{"startLine", own ? std::max<std::size_t>(finding.source->line, 1) : 1}}}}},
      {"logicalLocations",
       OrderedJson::array({{{"name", printable(finding.where)},
                            {"kind", manifest::subject_name(finding.subject)}}})}};
  OrderedJson json = {
      {"ruleId", finding.id},
      {"ruleIndex", rule},
      {"level", level(finding.severity)},
      {"message",
       {{"text", cat(printable(finding.where), ": ", printable(finding.evidence), ". Fix: ",
                     printable(finding.fix))}}},
      {"locations", OrderedJson::array({std::move(location)})},
      {"partialFingerprints", {{"cloister/v1", fingerprint(finding)}}}};
  json["properties"] = {{"severity", manifest::severity_name(finding.severity)}};
  if (!finding.package.empty()) json["properties"]["package"] = finding.package;
  if (!finding.layer.empty()) json["properties"]["layer"] = finding.layer;
  if (finding.accepted)
    json["suppressions"] = OrderedJson::array(
        {{{"kind", own && finding.accepted->by.starts_with(finding.source->file) ? "inSource"
                                                                                 : "external"},
          {"status", "accepted"},
          {"justification", cat(finding.accepted->reason, " (", finding.accepted->by, ")")}}});
  return json;
}

}  // namespace

std::string audit_sarif(const AuditReport& report) {
  OrderedJson rules = OrderedJson::array(), results = OrderedJson::array();
  std::map<std::string, std::size_t> index;
  for (const Finding& finding : report.findings) {
    const auto [at, added] = index.emplace(finding.id, rules.size());
    if (added) rules.push_back(rule_json(finding.id, manifest::rule_of(finding)));
    results.push_back(result_json(report, finding, at->second));
  }
  OrderedJson driver = {{"name", "cloister"},
                        {"version", std::string(kVersion)},
                        {"rules", std::move(rules)}};
  OrderedJson run = {{"tool", {{"driver", std::move(driver)}}},
                     {"results", std::move(results)},
                     {"columnKind", "unicodeCodePoints"}};
  const OrderedJson document = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs", OrderedJson::array({std::move(run)})}};
  return dump_json_pretty(document) + "\n";
}

}  // namespace cloister::cmd
