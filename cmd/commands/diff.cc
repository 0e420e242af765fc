#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/baseline.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/plan_options.h"
#include "cmd/report/diff.h"
#include "cmd/session.h"
#include "cmd/targets.h"

namespace cloister::cmd {
namespace {

struct DiffOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string tee = "sgx";
  std::string before, after, format = "text", output;
};

Result<int> run_diff(const DiffOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(PlanOptions options, to_plan_options(o.plan, session->limits()));
  options.tee = target_named(o.tee).tee;
  CL_TRY(const manifest::Permissions before, read_permissions(*session, o.before, options));
  CL_TRY(const manifest::Permissions after, read_permissions(*session, o.after, options));
  const DiffReport report{o.before, o.after, manifest::compare_permissions(before, after)};
  const ResultStyle style = result_style(env, o.common.no_color, o.output);
  std::string text;
  if (o.format == "json") text = diff_json(report);
  if (o.format == "markdown") text = diff_markdown(report);
  if (o.format == "sarif") text = diff_sarif(report);
  if (o.format == "html") text = diff_html(report);
  if (o.format == "text") text = diff_text(report, style.width, style.color);
  if (session->quiet() && o.output.empty() && o.format == "text")
    text = change_phrase(report.changes) + "\n";
  CL_CHECK(write_result(o.output, text));
  return manifest::widens(report.changes) ? kExitPolicy : kExitDone;
}

}  // namespace

Action add_diff(CLI::App& app) {
  auto o = std::make_shared<DiffOptions>();
  app.add_option("OLD", o->before, "Image, manifest, saved report of audit, or baseline")
      ->required();
  app.add_option("NEW", o->after, "The same, to compare with it")->required();
  add_format_option(app, o->format, {"text", "json", "sarif", "markdown", "html"});
  add_output_option(app, o->output);
  add_target_option(app, o->tee);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_diff(*o, env); };
}

}  // namespace cloister::cmd
