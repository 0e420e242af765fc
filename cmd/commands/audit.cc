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
#include "cmd/rehearsal_file.h"
#include "cmd/report/audit.h"
#include "cmd/report/html.h"
#include "cmd/report_files.h"
#include "cmd/session.h"
#include "cmd/targets.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/gramine/migrate.h"

namespace cloister::cmd {
namespace {

struct AuditOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string tee = "sgx";
  std::string subject, format = "text", output, fail_on, policy;
  std::vector<std::string> reports, rehearsals;
  bool fix = false;
};

constexpr std::string_view kAuditFormats[] = {"text", "json", "sarif", "markdown", "html"};

// The gate: the command line's, else the policy's, else from high up.
Result<std::optional<manifest::Severity>> gate(const AuditOptions& o,
                                               const manifest::AuditPolicy& policy) {
  if (o.fail_on == "none") return std::optional<manifest::Severity>();
  if (!o.fail_on.empty()) return manifest::parse_severity(o.fail_on);
  return policy.fail_on ? policy.fail_on : std::optional(manifest::Severity::high);
}

// What is in the user's own files, and on the command line, counts; what an image says of itself
// does not. `text` is of the manifest or overlay called `file`.
Result<manifest::AuditPolicy> decisions(const AuditOptions& o, const std::string& file,
                                        std::string_view text, const Limits& limits) {
  manifest::AuditPolicy policy;
  if (!o.policy.empty()) {
    CL_TRY(policy, load_findings_policy(o.policy, limits));
  }
  CL_TRY(auto accepted, manifest::accepted_in_comments(text, file));
  for (auto& rule : accepted) policy.accepted.push_back(std::move(rule));
  for (const std::string& id : o.plan.accepted)
    policy.accepted.push_back({id, "", "accepted on the command line", "", "--accept", {}});
  return policy;
}

// The file in today's syntax, which is answered; what it was is kept beside it.
Result<std::string> fix_file(const std::string& file, std::string text, const Session& session) {
  CL_TRY(const TomlTable table, parse_toml(text, session.limits(), quote(file)));
  const manifest::Migration migration = manifest::migrate_manifest(table);
  for (const std::string& line : migration.done) session.note(cat("fixed: ", printable(line)));
  if (migration.manifest == table) {
    session.note("nothing to fix");
    return text;
  }
  const std::string kept = file + ".orig";
  std::error_code error;
  if (std::filesystem::exists(kept, error))
    return Error::conflict(cat(quote(kept), " exists: the original would be lost"))
        .hint("move it away, and repeat");
  std::string fixed = emit_toml(migration.manifest);
  CL_CHECK(write_file_atomic(kept, as_bytes(text)));
  CL_CHECK(write_file_atomic(file, as_bytes(fixed)));
  session.note(cat("the file as it was, with its comments: ", printable(kept)));
  return fixed;
}

// The report, with what was decided about its findings.
Result<AuditReport> audited(const AuditOptions& o, Session& session) {
  const Limits& limits = session.limits();
  const bool is_file = names_manifest_file(o.subject);
  if (o.fix && !is_file)
    return Error::usage(cat("--fix rewrites a manifest file, and ", quote(o.subject), " is none"))
        .hint("name the file by its path: ./app.manifest");
  AuditReport report;
  manifest::AuditPolicy policy;
  CL_TRY(const RehearsalFiles rehearsals, read_rehearsals(o.rehearsals, limits));
  const RehearsalFiles* const given = o.rehearsals.empty() ? nullptr : &rehearsals;
  if (is_file) {
    CL_TRY(std::string text, read_text_file(o.subject, limits.enclave_manifest_bytes));
    if (o.fix) {
      CL_TRY(text, fix_file(o.subject, std::move(text), session));
    }
    CL_TRY(policy, decisions(o, o.subject, text, limits));
    CL_TRY(report, audit_manifest_text(text, o.subject, limits, given));
  } else {
    CL_TRY(PlanOptions options, to_plan_options(o.plan, limits));
    options.tee = target_named(o.tee).tee;
    CL_TRY(policy, decisions(o, options.overlay_file, options.overlay_text, limits));
    CL_TRY(report, audit_image(session, o.subject, options, given));
    for (const std::string& digest : rehearsals.digests)
      if (digest != report.digest && digest != report.base_digest)
        session.note(cat("a rehearsal is of another image: ", printable(digest)));
  }
  manifest::apply_policy(policy, date_of(session.env().now), report.findings);
  manifest::sort_findings(report.findings);
  CL_TRY(report.fail_on, gate(o, policy));
  return report;
}

Result<std::string> rendered(const AuditReport& report, std::string_view format,
                             const ResultStyle& style) {
  if (format == "json") return audit_json(report);
  if (format == "sarif") return audit_sarif(report);
  if (format == "markdown") return audit_markdown(report);
  if (format == "html") return audit_html(audit_json(report));
  return audit_text(report, style.width, style.color);
}

Result<int> run_audit(const AuditOptions& o, const Environment& env) {
  CL_TRY(const auto reports,
         parse_report_files(o.reports, {std::begin(kAuditFormats), std::end(kAuditFormats)}));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const AuditReport report, audited(o, *session));
  for (const ReportFile& one : reports) {
    CL_TRY(const std::string text, rendered(report, one.format, ResultStyle()));
    CL_CHECK(write_result(one.path, text));
  }
  CL_TRY(std::string text,
         rendered(report, o.format, result_style(env, o.common.no_color, o.output)));
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
  app.add_option("--rehearsal", o->rehearsals,
                 "Report of `rehearse --format json` that the manifest is held against; repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("FILE");
  app.add_flag("--fix", o->fix,
               "Bring keys of earlier versions of Gramine up to date in the file first;\n"
               "the original is kept as FILE.orig");
  {
    const OptionHeading heading(app, kHeadingOutput);
    add_report_option(app, o->reports);
  }
  add_format_option(app, o->format, {"text", "json", "sarif", "markdown", "html"});
  add_output_option(app, o->output);
  add_target_option(app, o->tee);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_audit(*o, env); };
}

}  // namespace cloister::cmd
