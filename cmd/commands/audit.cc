// `audit`: what a reviewer has to know of an image, a manifest or an overlay, and whether it
// passes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/audit_subject.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/findings_policy.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/plan_options.h"
#include "cmd/report/audit.h"
#include "cmd/report/html.h"
#include "cmd/session.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/gramine/migrate.h"

namespace cloister::cmd {
namespace {

struct AuditOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string subject, format = "text", output, fail_on, policy;
  std::vector<std::string> reports;
  bool fix = false;
};

constexpr std::string_view kAuditFormats[] = {"text", "json", "sarif", "markdown", "html"};

struct ReportFile {
  std::string format, path;
};

Result<std::vector<ReportFile>> parse_reports(const std::vector<std::string>& words) {
  std::vector<ReportFile> out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    ReportFile one{word.substr(0, equals),
                   equals == std::string::npos ? std::string() : word.substr(equals + 1)};
    const bool known = std::find(std::begin(kAuditFormats), std::end(kAuditFormats), one.format) !=
                       std::end(kAuditFormats);
    if (!known || one.path.empty())
      return Error::usage(cat("--report ", quote(word), " is not FORMAT=FILE"))
          .hint("formats are text, json, sarif, markdown and html: --report sarif=audit.sarif");
    out.push_back(std::move(one));
  }
  return out;
}

// The gate: the command line's, else the policy's, else from high up.
Result<std::optional<manifest::Severity>> gate(const AuditOptions& o,
                                               const manifest::AuditPolicy& policy) {
  if (o.fail_on == "none") return std::optional<manifest::Severity>();
  if (!o.fail_on.empty()) return manifest::parse_severity(o.fail_on);
  return policy.fail_on ? policy.fail_on : std::optional(manifest::Severity::high);
}

// What is in the user's own files, and on the command line, counts; what an image says of itself
// does not.
Result<manifest::AuditPolicy> decisions(const AuditOptions& o, bool file, const Limits& limits) {
  manifest::AuditPolicy policy;
  if (!o.policy.empty()) {
    CL_TRY(policy, load_findings_policy(o.policy, limits));
  }
  const std::string commented = file ? o.subject : o.plan.manifest_file;
  if (!commented.empty()) {
    CL_TRY(const std::string text, read_text_file(commented, limits.enclave_manifest_bytes));
    CL_TRY(auto accepted, manifest::accepted_in_comments(text, commented));
    for (auto& rule : accepted) policy.accepted.push_back(std::move(rule));
  }
  for (const std::string& id : o.plan.accepted)
    policy.accepted.push_back({id, "", "accepted on the command line", "", "--accept", {}});
  return policy;
}

// The file in today's syntax; what it was is kept beside it.
Status fix_file(const AuditOptions& o, Session& session) {
  CL_TRY(const std::string text,
         read_text_file(o.subject, session.limits().enclave_manifest_bytes));
  CL_TRY(const TomlTable table, parse_toml(text, session.limits(), quote(o.subject)));
  const manifest::Migration migration = manifest::migrate_manifest(table);
  for (const std::string& line : migration.done) session.note(cat("fixed: ", printable(line)));
  if (migration.manifest == table) {
    session.note("nothing to fix");
    return {};
  }
  const std::string kept = o.subject + ".orig";
  std::error_code error;
  if (std::filesystem::exists(kept, error))
    return Error::conflict(cat(quote(kept), " exists: the original would be lost"))
        .hint("move it away, and repeat");
  CL_CHECK(write_file_atomic(kept, as_bytes(text)));
  CL_CHECK(write_file_atomic(o.subject, as_bytes(emit_toml(migration.manifest))));
  session.note(cat("the file as it was, with its comments: ", printable(kept)));
  return {};
}

Result<AuditReport> audit_of(const AuditOptions& o, bool file, Session& session) {
  if (!file) return audit_image(session, o.subject, o.plan);
  if (o.fix) CL_CHECK(fix_file(o, session));
  CL_TRY(const std::string text,
         read_text_file(o.subject, session.limits().enclave_manifest_bytes));
  return audit_manifest_text(text, o.subject, session.limits());
}

Result<std::string> rendered(const AuditReport& report, std::string_view format, unsigned width,
                             bool color) {
  if (format == "json") return audit_json(report);
  if (format == "sarif") return audit_sarif(report);
  if (format == "markdown") return audit_markdown(report);
  if (format == "html") return audit_html(audit_json(report));
  return audit_text(report, width, color);
}

Result<int> run_audit(const AuditOptions& o, const Environment& env) {
  CL_TRY(const auto reports, parse_reports(o.reports));
  CL_TRY(auto session, Session::create(o.common, env));
  const bool file = names_manifest_file(o.subject);
  if (o.fix && !file)
    return Error::usage(cat("--fix rewrites a manifest file, and ", quote(o.subject), " is none"))
        .hint("name the file by its path: ./app.manifest");
  CL_TRY(manifest::AuditPolicy policy, decisions(o, file && !o.fix, session->limits()));
  CL_TRY(AuditReport report, audit_of(o, file, *session));
  if (o.fix) {
    CL_TRY(policy, decisions(o, file, session->limits()));
  }
  manifest::apply_policy(policy, date_of(env.now), report.findings);
  manifest::sort_findings(report.findings);
  CL_TRY(report.fail_on, gate(o, policy));

  for (const ReportFile& one : reports) {
    CL_TRY(const std::string text, rendered(report, one.format, 80, false));
    CL_CHECK(write_result(one.path, text));
  }
  const bool terminal = o.output.empty() && env.stdout_tty;
  const bool color = terminal && !o.common.no_color && !env.get("NO_COLOR");
  const unsigned width = terminal ? env.columns : 80;
  CL_TRY(std::string text, rendered(report, o.format, width, color));
  if (session->quiet() && o.output.empty() && o.format == "text")
    text = passes(report) ? "passed\n" : "refused\n";
  CL_CHECK(write_result(o.output, text));
  return passes(report) ? kExitDone : kExitPolicy;
}

}  // namespace

Action add_audit(CLI::App& app) {
  auto o = std::make_shared<AuditOptions>();
  app.add_option("IMAGE|MANIFEST", o->subject,
                 "Image, a Gramine manifest, or an overlay for one (a file by its path)")
      ->required();
  app.add_option("--fail-on", o->fail_on,
                 "Exit with 3 when a finding is as bad: critical, high, medium, low, info or none\n"
                 "(default: what the policy says, else high)")
      ->check(CLI::IsMember({"critical", "high", "medium", "low", "info", "none"}));
  app.add_option("--policy", o->policy, "File whose table [findings] decides about findings")
      ->type_name("FILE");
  app.add_flag("--fix", o->fix,
               "Bring keys of earlier versions of Gramine up to date in the file first;\n"
               "the original is kept as FILE.orig");
  {
    const OptionHeading heading(app, kHeadingOutput);
    app.add_option("--report", o->reports, "Write a further report, FORMAT=FILE; repeatable")
        ->expected(1)
        ->take_all()
        ->type_name("FORMAT=FILE");
  }
  add_format_option(app, o->format, {"text", "json", "sarif", "markdown", "html"});
  add_output_option(app, o->output);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_audit(*o, env); };
}

}  // namespace cloister::cmd
