#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cmd/build_date.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/closure.h"
#include "cmd/report/sbom.h"
#include "cmd/session.h"
#include "cmd/targets.h"

namespace cloister::cmd {
namespace {

struct DepsOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string tee = "sgx";
  std::string image, format = "tree", output;
  std::vector<std::string> paths;
};

Result<std::string> render(const DepsOptions& o, const ClosurePlan& plan, const Environment& env) {
  if (o.format == "list") return closure_list(plan.closure);
  if (o.format == "json") return closure_json(plan);
  if (o.format == "dot") return closure_dot(plan.closure);
  if (o.format == "tree")
    return closure_tree(plan.closure, result_style(env, o.common.no_color, o.output).color);
  CL_TRY(const Seconds created, build_date("", env, plan.base.image.config.created));
  const SbomSubject subject = sbom_subject(plan);
  return dump_json_pretty(o.format == "spdx" ? spdx_document(subject, created)
                                             : cyclonedx_document(subject, created)) +
         "\n";
}

Result<int> run_deps(const DepsOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(PlanOptions options, to_plan_options(o.plan, session->limits()));
  options.tee = target_named(o.tee).tee;
  // With paths, the first is what is started, and the others are roots beside it.
  if (!o.paths.empty()) {
    options.launch.entrypoint = o.paths.front();
    options.includes.insert(options.includes.end(), o.paths.begin() + 1, o.paths.end());
  }
  options.runtime_optional = true;
  CL_TRY(const ClosurePlan plan, plan_closure(*session, ref, options));
  CL_TRY(const std::string text, render(o, plan, env));
  CL_CHECK(write_result(o.output, text));
  CL_CHECK(require_resolved(plan.closure));
  return 0;
}

}  // namespace

Action add_deps(CLI::App& app) {
  auto o = std::make_shared<DepsOptions>();
  app.add_option("IMAGE", o->image, "Image to analyse")->required();
  app.add_option("PATH", o->paths, "Programs or libraries in it, instead of its entrypoint");
  add_format_option(app, o->format, {"tree", "list", "json", "dot", "spdx", "cyclonedx"});
  add_output_option(app, o->output);
  add_target_option(app, o->tee);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_deps(*o, env); };
}

}  // namespace cloister::cmd
