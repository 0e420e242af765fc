#include "cmd/report/audit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cmd/report/audit_targets.h"
#include "cmd/report/rehearse.h"
#include "cmd/session.h"
#include "cmd/targets.h"
#include "manifest-gen/audit/audit_policy.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;
using manifest::Severity;

std::string_view subject_word(AuditReport::Subject subject) {
  static constexpr std::string_view kWords[] = {"image", "enclave-image", "manifest", "overlay"};
  return kWords[static_cast<std::size_t>(subject)];
}

OrderedJson where_json(const Finding& finding) {
  OrderedJson json = {{"kind", manifest::subject_name(finding.subject)}, {"name", finding.where}};
  if (!finding.layer.empty()) json["layer"] = finding.layer;
  if (!finding.package.empty()) json["package"] = finding.package;
  if (finding.source)
    json["source"] = {{"file", finding.source->file}, {"line", finding.source->line}};
  return json;
}

std::vector<std::string> allowed_uris(const TomlTable& table) {
  std::vector<std::string> out;
  for (const auto& entry : manifest::file_entries(table, "sgx.allowed_files"))
    out.push_back(entry.uri);
  return out;
}

OrderedJson surface_json(const AuditReport& report) {
  const manifest::Surface& surface = report.surface;
  OrderedJson packages = OrderedJson::array(), capabilities = OrderedJson::array(),
              writable = OrderedJson::array();
  for (const auto& share : surface.packages)
    packages.push_back({{"name", share.name},
                        {"version", share.version},
                        {"files", share.files},
                        {"bytes", share.bytes}});
  for (const auto& capability : surface.capabilities)
    capabilities.push_back({{"capability", capability.name},
                            {"files", capability.files},
                            {"functions", capability.functions}});
  for (const manifest::Mount& mount : manifest::mounts(report.manifest))
    if (mount.path != "/") writable.push_back({{"path", mount.path}, {"type", mount.type}});
  return {
      {"files", surface.files.size()},
      {"imageFiles", surface.image_files},
      {"bytes", surface.bytes},
      {"elf", surface.elf},
      {"scripts", surface.scripts},
      {"packages", std::move(packages)},
      {"capabilities", std::move(capabilities)},
      {"writable", std::move(writable)},
      {"allowed", allowed_uris(report.manifest)},
      {"passthrough", manifest::passthrough_names(report.manifest)},
      {"hostEnvironment", manifest::true_at(report.manifest, "loader.insecure__use_host_env")},
      {"hostArguments", manifest::true_at(report.manifest, "loader.insecure__use_cmdline_argv")}};
}

OrderedJson enclave_json(const AuditReport& report) {
  const TomlTable& table = report.manifest;
  const auto number = [&](std::string_view key) {
    const std::int64_t* value = manifest::integer_at(table, key);
    return value == nullptr ? OrderedJson() : OrderedJson(*value);
  };
  const std::string* size = manifest::string_at(table, "sgx.enclave_size");
  const auto bytes = size != nullptr ? manifest::parse_size(*size, manifest::Strictness::signer)
                                     : Error::invalid("no size");
  const std::string* attestation = manifest::string_at(table, "sgx.remote_attestation");
  return {{"mrenclave", report.mrenclave.empty() ? OrderedJson() : OrderedJson(report.mrenclave)},
          {"enclaveSize", bytes.has_value() ? OrderedJson(*bytes) : OrderedJson()},
          {"maxThreads", number("sgx.max_threads")},
          {"debug", manifest::true_at(table, "sgx.debug")},
          {"edmm", manifest::true_at(table, "sgx.edmm_enable")},
          {"isvprodid", number("sgx.isvprodid")},
          {"isvsvn", number("sgx.isvsvn")},
          {"remoteAttestation", attestation != nullptr ? *attestation : "none"}};
}

OrderedJson granted_json(const manifest::GrantedFile& file) {
  OrderedJson json = {{"path", file.path}};
  if (file.size) json["size"] = *file.size;
  if (!file.sha256.empty()) json["sha256"] = file.sha256;
  if (file.kind != manifest::GrantedFile::Kind::unknown)
    json["kind"] = manifest::kind_name(file.kind);
  if (!file.package.empty()) json["package"] = file.package;
  if (!file.layer.empty()) json["layer"] = file.layer;
  json["reasons"] = file.reasons;
  if (!file.aliases.empty()) json["aliases"] = file.aliases;
  return json;
}

OrderedJson lines_json(const AuditReport& report) {
  OrderedJson lines = OrderedJson::array();
  for (const auto& [text, reason] : report.lines) {
    OrderedJson line = {{"text", text}};
    if (!reason.empty()) line["reason"] = reason;
    lines.push_back(std::move(line));
  }
  return lines;
}

// "12.3 MB of 44 files"
std::string opens_phrase(const AuditReport& report) {
  const manifest::Surface& surface = report.surface;
  std::string out = cat(surface.files.size(), surface.files.size() == 1 ? " file" : " files");
  if (surface.image_files > 0)
    out = cat(surface.files.size(), " of ", surface.image_files, " files");
  if (surface.bytes > 0) out += cat(", ", human_bytes(surface.bytes));
  if (surface.elf > 0) out += cat(", ", surface.elf, " with machine code");
  return out;
}

std::string largest_phrase(const manifest::Surface& surface) {
  static constexpr std::size_t kShown = 4;
  std::string out;
  for (std::size_t i = 0; i < surface.packages.size() && i < kShown; ++i) {
    const auto& share = surface.packages[i];
    out += cat(i > 0 ? ", " : "", share.name.empty() ? "no package" : printable(share.name), " ",
               human_bytes(share.bytes));
  }
  if (surface.packages.size() > kShown)
    out += cat(" and ", surface.packages.size() - kShown, " more");
  return out;
}

std::string writes_phrase(const TomlTable& table) {
  std::string out;
  for (const manifest::Mount& mount : manifest::mounts(table))
    if (mount.path != "/")
      out += cat(out.empty() ? "" : ", ", printable(mount.path), " (", printable(mount.type), ")");
  for (const std::string& uri : allowed_uris(table))
    out += cat(out.empty() ? "" : ", ", printable(manifest::uri_path(uri)), " (the host's)");
  return out.empty() ? "nothing" : out;
}

std::string host_phrase(const TomlTable& table) {
  std::string out;
  const auto add = [&](std::string_view text) { out += cat(out.empty() ? "" : ", ", text); };
  if (manifest::true_at(table, "loader.insecure__use_host_env")) add("every variable");
  for (const std::string& name : manifest::passthrough_names(table)) add(cat("$", printable(name)));
  if (manifest::true_at(table, "loader.insecure__use_cmdline_argv")) add("the arguments");
  return out.empty() ? "nothing" : out;
}

std::string rehearsal_phrase(const manifest::Verdict& verdict) {
  const auto refused = std::count_if(verdict.denied.begin(), verdict.denied.end(),
                                     [](const manifest::Denied& one) { return !one.harmless; });
  std::string out = cat(verdict.opened, verdict.opened == 1 ? " file opened, " : " files opened, ");
  if (refused > 0) out += cat(refused, refused == 1 ? " path refused, " : " paths refused, ");
  return out + cat(verdict.unused_files, " of ", verdict.granted, " never touched");
}

}  // namespace

std::string quoted_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += cat(out.empty() ? "" : " ", quote(word));
  return out;
}

bool passes(const AuditReport& report) {
  const auto worst = manifest::worst_of(report.findings);
  return !report.fail_on || !worst || *worst < *report.fail_on;
}

OrderedJson finding_counts(const std::vector<Finding>& findings) {
  OrderedJson json;
  for (const Severity severity : manifest::kSeverities)
    json[std::string(manifest::severity_name(severity))] = std::count_if(
        findings.begin(), findings.end(),
        [&](const Finding& one) { return one.severity == severity && !one.accepted; });
  json["accepted"] = std::count_if(findings.begin(), findings.end(),
                                   [](const Finding& one) { return one.accepted.has_value(); });
  return json;
}

std::string count_phrase(const std::vector<Finding>& findings) {
  std::string out;
  const OrderedJson counts = finding_counts(findings);
  for (const auto& [name, count] : counts.items())
    if (count.get<std::size_t>() > 0)
      out += cat(out.empty() ? "" : ", ", count.get<std::size_t>(), " ", name);
  return out.empty() ? "none" : out;
}

OrderedJson finding_json(const Finding& finding) {
  const manifest::Rule& rule = manifest::rule_of(finding);
  OrderedJson json = {{"id", finding.id},
                      {"severity", manifest::severity_name(finding.severity)},
                      {"title", rule.title},
                      {"meaning", rule.meaning},
                      {"where", where_json(finding)},
                      {"evidence", finding.evidence},
                      {"fix", finding.fix}};
  if (finding.rule_severity) json["ruleSeverity"] = manifest::severity_name(*finding.rule_severity);
  if (finding.accepted) {
    json["accepted"] = {{"reason", finding.accepted->reason}};
    if (!finding.accepted->until.empty()) json["accepted"]["until"] = finding.accepted->until;
    json["accepted"]["by"] = finding.accepted->by;
  }
  return json;
}

OrderedJson audit_object(const AuditReport& report) {
  OrderedJson json = {{"format", "cloister-audit-v1"}, {"generator", cat("cloister ", kVersion)}};
  json["subject"] = {{"kind", subject_word(report.subject)}, {"name", report.name}};
  if (report.tee != "sgx") json["subject"]["tee"] = report.tee;
  if (!report.digest.empty()) json["subject"]["digest"] = report.digest;
  if (!report.platform.empty()) json["subject"]["platform"] = report.platform;
  const auto worst = manifest::worst_of(report.findings);
  json["verdict"] = {
      {"passed", passes(report)},
      {"failOn", report.fail_on ? manifest::severity_name(*report.fail_on) : "none"},
      {"worst", worst ? OrderedJson(manifest::severity_name(*worst)) : OrderedJson()}};
  json["counts"] = finding_counts(report.findings);
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : report.findings) json["findings"].push_back(finding_json(finding));
  json["surface"] = surface_json(report);
  if (!report.targets.empty()) json["targets"] = targets_json(report.targets);
  if (report.rehearsal) {
    json["rehearsal"] = verdict_json(report.rehearsal->verdict);
    json["rehearsal"]["files"] = report.rehearsal->files;
  }
  if (report.launch)
    json["launch"] = {
        {"argv", report.launch->argv},       {"entrypoint", report.launch->entrypoint},
        {"workdir", report.launch->workdir}, {"uid", report.launch->uid},
        {"gid", report.launch->gid},         {"kind", report.kind}};
  if (!report.base_digest.empty())
    json["base"] = {{"name", report.base_name}, {"digest", report.base_digest}};
  if (!report.runtime_name.empty())
    json["runtime"] = {{"name", report.runtime_name},
                       {"version", report.runtime_version},
                       {"digest", report.runtime_digest}};
  json["sgx"] = enclave_json(report);
  json["files"] = OrderedJson::array();
  for (const auto& file : report.surface.files) json["files"].push_back(granted_json(file));
  json["edges"] = OrderedJson::array();
  for (const auto& edge : report.surface.edges)
    json["edges"].push_back({{"from", edge.from},
                             {"to", edge.to},
                             {"why", manifest::why_name(edge.why)},
                             {"detail", edge.detail}});
  json["manifest"] = {{"digest", report.manifest_digest}, {"lines", lines_json(report)}};
  return json;
}

std::string audit_json(const AuditReport& report) {
  return dump_json_pretty(audit_object(report)) + "\n";
}

std::vector<Fact> audit_facts(const AuditReport& report) {
  std::vector<Fact> out;
  const auto add = [&](std::string name, std::string value) {
    if (!value.empty()) out.push_back({std::move(name), std::move(value)});
  };
  add("digest", report.digest);
  if (report.tee != "sgx") add("for", std::string(target_named(report.tee).summary));
  if (!report.base_digest.empty() && report.base_digest != report.digest)
    add("base", cat(printable(report.base_name), report.base_name.empty() ? "" : " @ ",
                    report.base_digest));
  if (!report.runtime_name.empty())
    add("runtime", cat(printable(report.runtime_name), " ",
                       report.runtime_version.empty() ? "(unknown version)"
                                                      : printable(report.runtime_version)));
  if (report.launch)
    add("runs", cat(quoted_words(report.launch->argv), " as ", report.launch->uid, ":",
                    report.launch->gid, " (", printable(report.kind), ")"));
  if (report.subject == AuditReport::Subject::overlay) return out;
  add("may open", opens_phrase(report));
  add("mostly", largest_phrase(report.surface));
  std::string can;
  for (const auto& capability : report.surface.capabilities)
    can += cat(can.empty() ? "" : ", ", capability.name);
  add("can", can);
  add("writes", writes_phrase(report.manifest));
  add("host sets", host_phrase(report.manifest));
  if (report.rehearsal) add("rehearsal", rehearsal_phrase(report.rehearsal->verdict));
  add("mrenclave", report.mrenclave);
  return out;
}

}  // namespace cloister::cmd
